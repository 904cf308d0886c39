{# The class of a payer by the claim filing code of its plan. #}
{% macro drchrono_payer_class(plan_type) -%}
case
        when {{ plan_type }} in ('MA', 'MB', '16') then 'medicare'
        when {{ plan_type }} = 'MC' then 'medicaid'
        when {{ plan_type }} = 'BL' then 'blue cross blue shield'
        when {{ plan_type }} = 'WC' then 'workers compensation'
        when {{ plan_type }} in ('AM', 'LM') then 'auto and liability'
        when {{ plan_type }} in ('CH', 'VA', 'OF', 'FI', 'TV') then 'government'
        when {{ plan_type }} in ('CI', 'HM', '11', '12', '13', '14', '15', '17') then 'commercial'
        when {{ plan_type }} in ('DS', 'ZZ') then 'other'
        else 'unknown'
    end
{%- endmacro %}


{# The name of a doctor. #}
{% macro drchrono_person(relation) -%}
nullif(trim(concat(coalesce({{ relation }}.first_name, ''), ' ', coalesce({{ relation }}.last_name, ''))), '')
{%- endmacro %}
