{#
  A staging model: the rows of one table, renamed and cast.

  A column that was not loaded is null, and a table that was not loaded has no rows.

  Args:
    stream: The table's name.
    columns: The columns, the key first: its name, the field, what it is cast to, and for
      a field within an object also the name that its column has once it is flattened.
    without: A model with the same key, whose rows are left out.
#}
{% macro drchrono_stage(stream, columns, without=none) %}
{%- set source_table = source("drchrono", stream) -%}
{%- set relation = load_relation(source_table) if execute else none -%}
{%- set found = {} -%}
{%- for column in (adapter.get_columns_in_relation(relation) if relation else []) -%}
  {%- do found.update({column.name | lower: column}) -%}
{%- endfor -%}
{%- set key = columns[0][0] -%}
{%- set newest = drchrono_newest(found, columns) | trim -%}
{%- set objects = drchrono_objects(found, columns) | trim -%}
with opened as (

    select {{ "*" if relation else "1 as nothing" }}{{ ", " ~ objects if objects }}
    {%- if relation %}
    from {{ relation }}
    {%- endif %}

),

renamed as (

    select
        {%- for column in columns %}
        {{ drchrono_staged_column(found, column) }} as {{ column[0] }},
        {%- endfor %}
        {%- if var("drchrono_deduplicate") %}
        row_number() over (
            partition by {{ drchrono_staged_column(found, columns[0]) }}
            order by {{ newest }}
        ) as row_of_key,
        {%- endif %}
        {{ drchrono_staged_deletion(found) }} as is_deleted
    from opened
    {%- if not relation %}
    where 1 = 0
    {%- endif %}

)

select
    {%- for column in columns %}
    {{ column[0] }},
    {%- endfor %}
    is_deleted
from renamed
where {{ "row_of_key = 1" if var("drchrono_deduplicate") else "1 = 1" }}
{%- if without %}
    and not exists (
        select 1
        from {{ without }} as gone
        where gone.{{ key }} = renamed.{{ key }}
    )
{%- endif %}
{% endmacro %}


{# The order of the rows of a key: the latest first, by its stamp, then by the load. #}
{% macro drchrono_newest(found, columns) -%}
{%- for column in columns if column[0] == "updated_at" -%}
  {{ drchrono_staged_column(found, column) }} desc nulls last, {# #}
{%- endfor -%}
{%- for name in ("_sdc_extracted_at", "_sdc_sequence", "_sdc_received_at", "_sdc_batched_at") if name in found -%}
  {{ adapter.quote(found[name].name) }} desc nulls last, {# #}
{%- endfor -%}
  {{ drchrono_staged_column(found, columns[0]) }}
{%- endmacro %}


{# The objects that fields are taken from, each opened once. #}
{% macro drchrono_objects(found, columns) -%}
{%- set fields = {} -%}
{%- for column in columns if "." in column[1] and column[3] not in found -%}
  {%- set outer, inner = column[1].split(".") -%}
  {%- if outer in found -%}
    {%- do fields.setdefault(outer, []).append(inner) -%}
  {%- endif -%}
{%- endfor -%}
{%- for outer, names in fields.items() -%}
  {%- set one = found[outer] -%}
  {{ "" if loop.first else ", " }}
        {{ drchrono_json_object(adapter.quote(one.name), one.dtype, names) }} as {{ outer }}__object
{%- endfor -%}
{%- endmacro %}


{# The expression of a column. #}
{% macro drchrono_staged_column(found, column) -%}
{%- set field, kind = column[1], column[2] -%}
{%- set outer = field.split(".")[0] -%}
{%- if column | length > 3 and column[3] in found -%}
  {%- set one = found[column[3]] -%}
  {{- drchrono_cast(adapter.quote(one.name), one.dtype, kind) -}}
{%- elif outer in found and "." in field -%}
  {%- set value = drchrono_json_field(outer ~ "__object", field.split(".")[1]) -%}
  {{- drchrono_cast(value, "text", kind) -}}
{%- elif outer in found -%}
  {%- set one = found[outer] -%}
  {%- set value = drchrono_cast(
      adapter.quote(one.name), one.dtype, "boolean" if kind == "break" else kind
  ) -%}
  {{- drchrono_break(found, value) if kind == "break" else value -}}
{%- elif kind == "break" -%}
  {{- drchrono_break(found, "false") -}}
{%- else -%}
  cast(null as {{ drchrono_type(kind) }})
{%- endif -%}
{%- endmacro %}


{# A break has a flag, or no patient. #}
{% macro drchrono_break(found, flag) -%}
{%- if "patient" in found -%}
  {%- set patient = found["patient"] -%}
  (
            coalesce({{ flag }}, false)
            or {{ drchrono_cast(adapter.quote(patient.name), patient.dtype, "id") }} is null
        )
{%- else -%}
  coalesce({{ flag }}, false)
{%- endif -%}
{%- endmacro %}


{# Deleted appointments have a flag; a loader may mark rows that are gone at the source. #}
{% macro drchrono_staged_deletion(found) -%}
{%- set flag = found.get("deleted_flag") -%}
{%- set mark = found.get("_sdc_deleted_at") -%}
{%- if flag and mark -%}
  (
            coalesce({{ drchrono_cast(adapter.quote(flag.name), flag.dtype, "boolean") }}, false)
            or {{ adapter.quote(mark.name) }} is not null
        )
{%- elif flag -%}
  coalesce({{ drchrono_cast(adapter.quote(flag.name), flag.dtype, "boolean") }}, false)
{%- elif mark -%}
  {{ adapter.quote(mark.name) }} is not null
{%- else -%}
  false
{%- endif -%}
{%- endmacro %}
