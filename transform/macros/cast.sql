{# The type of each kind of column. #}
{% macro drchrono_type(kind) -%}
{{ {
    "boolean": "boolean",
    "break": "boolean",
    "date": "date",
    "integer": "bigint",
    "money": "decimal(18, 2)",
    "quantity": "decimal(18, 4)",
    "timestamp": adapter.dispatch("drchrono_timestamp", "drchrono")(),
}.get(kind, "text") }}
{%- endmacro %}

{% macro default__drchrono_timestamp() -%} timestamp {%- endmacro %}
{% macro snowflake__drchrono_timestamp() -%} timestamp_ntz {%- endmacro %}


{# Tell whether a type of the warehouse is a text: 'yes', or nothing. #}
{% macro drchrono_is_text(dtype) -%}
{{ "yes" if dtype.lower().split("(")[0] in (
    "text", "varchar", "string", "char", "character varying", "character"
) }}
{%- endmacro %}


{# Tell whether a type of the warehouse is a number: 'yes', or nothing. #}
{% macro drchrono_is_number(dtype) -%}
{{ "yes" if dtype.lower().split("(")[0] in (
    "double", "double precision", "float", "real", "numeric", "decimal", "number",
    "hugeint", "bigint", "integer", "smallint"
) }}
{%- endmacro %}


{# A text without the blanks around it; null if there is nothing else. #}
{% macro drchrono_trimmed(value) -%}
nullif(trim({{ value }}), '')
{%- endmacro %}


{#
  Cast a column; what cannot be read as the kind is null.

  Args:
    value: An expression.
    dtype: Its type in the warehouse.
    kind: What it is to be.
#}
{% macro drchrono_cast(value, dtype, kind) -%}
{#- A number that is too large would end the build, with an error that shows it. -#}
{%- set limits = {"money": "1e16", "quantity": "1e14", "integer": "9e18"} -%}
{%- if kind == "json" -%}
  {{ drchrono_trimmed(adapter.dispatch("drchrono_json_text", "drchrono")(value, dtype)) }}
{%- elif kind == "id" and dtype.lower().split("(")[0] in (
    "double", "double precision", "float", "real", "numeric", "decimal", "number"
) -%}
  cast(cast({{ value }} as decimal(38, 0)) as text)
{%- elif drchrono_type(kind) == "text" -%}
  {{ drchrono_trimmed(value) if drchrono_is_text(dtype) else "cast(" ~ value ~ " as text)" }}
{%- elif drchrono_is_text(dtype) -%}
  {{ adapter.dispatch("drchrono_read", "drchrono")(drchrono_trimmed(value), kind) }}
{%- elif kind == "boolean" and drchrono_is_number(dtype) -%}
  {{ value }} <> 0
{%- elif kind in ("date", "timestamp") and dtype.lower() == "timestamp with time zone" -%}
  {#- The loader took a stamp without a zone for one of UTC. -#}
  cast({{ value }} at time zone 'UTC' as {{ drchrono_type(kind) }})
{%- elif kind in limits and drchrono_is_number(dtype) -%}
  case when abs({{ value }}) < {{ limits[kind] }} then cast({{ value }} as {{ drchrono_type(kind) }}) end
{%- else -%}
  cast({{ value }} as {{ drchrono_type(kind) }})
{%- endif -%}
{%- endmacro %}


{# Read a text as another type, null if that fails. The zone of a stamp is not applied. #}
{% macro default__drchrono_read(value, kind) -%}
{%- set zone = "'(Z|[+-][0-9]{2}(:?[0-9]{2})?)$'" -%}
{%- if kind == "timestamp" -%}
  try_cast(case when {{ value }} like '____-__-__%:%' then regexp_replace({{ value }}, {{ zone }}, '') else {{ value }} end as {{ drchrono_type(kind) }})
{%- else -%}
  try_cast({{ value }} as {{ drchrono_type(kind) }})
{%- endif -%}
{%- endmacro %}

{#
  PostgreSQL has no cast that may fail before version 16, so only what surely can be read
  is cast. It leaves out a stamp's zone.
#}
{% macro postgres__drchrono_read(value, kind) -%}
{%- set day -%}
([1-9]\d{3}-((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))|([1-9]\d(0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)-02-29)
{%- endset -%}
{%- set zone = "(Z|[+-](0\\d|1[0-4])(:?[0-5]\\d)?)?" -%}
{%- set form = {
    "boolean": "^(true|false|t|f|yes|no|y|n|1|0)$",
    "date": "^" ~ day ~ "([T ].*)?$",
    "timestamp": "^" ~ day ~ "([T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?" ~ zone ~ ")?$",
    "integer": "^[+-]?\\d{1,18}$",
}.get(kind, "^[+-]?(\\d{1,14}(\\.\\d*)?|\\.\\d+)$") -%}
{%- set text = "left(" ~ value ~ ", 10)" if kind == "date" else value -%}
  case when {{ value }} ~* '{{ form }}' then cast({{ text }} as {{ drchrono_type(kind) }}) end
{%- endmacro %}


{# An object or an array as the text of its JSON. #}
{% macro default__drchrono_json_text(value, dtype) -%}
  cast({{ value }} as text)
{%- endmacro %}

{% macro postgres__drchrono_json_text(value, dtype) -%}
{{ value if drchrono_is_text(dtype) else "cast(to_json(" ~ value ~ ") as text)" }}
{%- endmacro %}

{% macro snowflake__drchrono_json_text(value, dtype) -%}
{{ value if drchrono_is_text(dtype) else "to_json(" ~ value ~ ")" }}
{%- endmacro %}


{# An object, in the form that its fields are taken from. #}
{% macro drchrono_json_object(value, dtype, fields) -%}
{{ adapter.dispatch("drchrono_json_object", "drchrono")(value, dtype, fields) }}
{%- endmacro %}

{# DuckDB would read the whole text again for each field. #}
{% macro default__drchrono_json_object(value, dtype, fields) -%}
  json_transform({{ "try_cast(" ~ value ~ " as json)" if drchrono_is_text(dtype) else value }}, '{ {%- for field in fields -%}
    "{{ field }}": "VARCHAR"{{ "" if loop.last else ", " }}
  {%- endfor -%} }')
{%- endmacro %}

{% macro postgres__drchrono_json_object(value, dtype, fields) -%}
  {%- if drchrono_is_text(dtype) -%}
  case when {{ value }} ~ '^\s*\{.*\}\s*$' then cast({{ value }} as jsonb) end
  {%- else -%}
  {{ value }}
  {%- endif -%}
{%- endmacro %}

{% macro snowflake__drchrono_json_object(value, dtype, fields) -%}
  {{ "try_parse_json(" ~ value ~ ")" if drchrono_is_text(dtype) else value }}
{%- endmacro %}


{# A field of an object as text. #}
{% macro drchrono_json_field(object, field) -%}
{{ adapter.dispatch("drchrono_json_field", "drchrono")(object, field) }}
{%- endmacro %}

{% macro default__drchrono_json_field(object, field) -%}
  {{ object }}."{{ field }}"
{%- endmacro %}

{% macro postgres__drchrono_json_field(object, field) -%}
  ({{ object }} ->> '{{ field }}')
{%- endmacro %}

{% macro snowflake__drchrono_json_field(object, field) -%}
  cast({{ object }}['{{ field }}'] as text)
{%- endmacro %}
