-- What is owed by age, one row a side and payer. Credits stand apart, so that one's credit
-- does not hide another's debt; `total` has both.
with receivables as (

    select
        receivables.*,
        case
            when side = 'patient' then 'patients' else coalesce(payer_name, 'unknown')
        end as payer,
        case when amount > 0 then amount else 0 end as debit
    from {{ ref("receivables") }} as receivables

),

summed as (

    select
        side,
        payer_class,
        payer,
        sum(case when bucket = '0-30' then debit else 0 end) as days_0_30,
        sum(case when bucket = '31-60' then debit else 0 end) as days_31_60,
        sum(case when bucket = '61-90' then debit else 0 end) as days_61_90,
        sum(case when bucket = '91-120' then debit else 0 end) as days_91_120,
        sum(case when bucket = 'over 120' then debit else 0 end) as days_over_120,
        sum(case when bucket = 'undated' then debit else 0 end) as undated,
        sum(amount - debit) as credits,
        sum(amount) as total,
        sum(debit) as debits,
        count(*) as receivables,
        count(distinct line_item_id) as line_items
    from receivables
    group by side, payer_class, payer

)

select
    concat(side, ' / ', payer_class, ' / ', payer) as ar_aging_id,
    side,
    payer_class,
    payer as payer_name,
    {%- for amount in [
        "days_0_30", "days_31_60", "days_61_90", "days_91_120", "days_over_120", "undated",
        "credits", "total"
    ] %}
    cast({{ amount }} as decimal(18, 2)) as {{ amount }},
    {%- endfor %}
    receivables,
    line_items,
    cast(
        case when debits <> 0 then (days_91_120 + days_over_120) / debits end
        as decimal(9, 4)
    ) as share_over_90
from summed
