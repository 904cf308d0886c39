-- What the buckets and the total of A/R aging add up to, and what is owed.
with aged as (

    select
        side,
        sum(total) as total,
        sum(days_0_30 + days_31_60 + days_61_90 + days_91_120 + days_over_120 + undated + credits)
            as parts
    from {{ ref("ar_aging") }}
    group by side

),

owed as (

    select side, sum(amount) as amount from {{ ref("receivables") }} group by side

)

select aged.side as aged_side, owed.side as owed_side
from aged
full outer join owed on aged.side = owed.side
where
    aged.total is null
    or owed.amount is null
    or aged.total <> owed.amount
    or aged.parts <> owed.amount
