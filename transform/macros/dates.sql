{# The day that ages are counted to. #}
{% macro drchrono_as_of() -%}
{%- set day = var("drchrono_as_of") or env_var("DRCHRONO_AS_OF", "") -%}
{%- if day -%}
  cast('{{ day }}' as date)
{%- else -%}
  current_date
{%- endif -%}
{%- endmacro %}


{# Days from one date to another. #}
{% macro drchrono_days(first, last) -%}
{{ adapter.dispatch("drchrono_days", "drchrono")(first, last) }}
{%- endmacro %}

{% macro default__drchrono_days(first, last) -%}
  cast({{ last }} - {{ first }} as integer)
{%- endmacro %}

{% macro snowflake__drchrono_days(first, last) -%}
  datediff(day, {{ first }}, {{ last }})
{%- endmacro %}


{# The first day of a date's month. #}
{% macro drchrono_month(day) -%}
  cast(date_trunc('month', {{ day }}) as date)
{%- endmacro %}
