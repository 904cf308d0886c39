{#
  One row of `checks`: how often a rule of the source's books holds. Counts only.

  Args:
    number: Its number.
    rule: What is compared, for people.
    rows: A query with one column `holds`: true, false, or null where it can't be told.
#}
{% macro drchrono_identity(number, rule, rows) %}
select
    {{ number }} as identity,
    '{{ rule }}' as rule,
    count(*) as records,
    count(holds) as compared,
    count(case when holds then 1 end) as held,
    count(case when not holds then 1 end) as broken,
    count(*) - count(holds) as not_comparable
from (
    {{ rows }}
) as compared_{{ number }}
{% endmacro %}
