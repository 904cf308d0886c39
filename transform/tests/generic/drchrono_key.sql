{# A key is there, once. One test for both, so that a build does not take twice as long. #}
{% test drchrono_key(model, column) %}
select
    {{ column }},
    count(*) as times
from {{ model }}
group by {{ column }}
having count(*) > 1 or {{ column }} is null
{% endtest %}
