{# The day that ages are counted to. #}
{% macro drchrono_as_of() -%}
{%- if var("drchrono_as_of") -%}
  cast('{{ var("drchrono_as_of") }}' as date)
{%- else -%}
  current_date
{%- endif -%}
{%- endmacro %}


{# Days from one date to another. #}
{% macro drchrono_days(first, last) -%}
{{ adapter.dispatch("drchrono_days", "drchrono")(first, last) }}
{%- endmacro %}

{# In DuckDB and PostgreSQL, and by ANSI in neither, dates have a difference. #}
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
