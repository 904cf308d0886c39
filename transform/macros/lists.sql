{# A list of texts for `in`, each in lower case; never empty. #}
{% macro drchrono_texts(values) -%}
(
{%- for value in values -%}
'{{ (value | string | lower).replace("'", "''") }}', {# #}
{%- endfor -%}
'')
{%- endmacro %}
