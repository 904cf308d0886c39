-- What is owed, and the balances of the line items, without the visits that are left out.
with owed as (

    select
        coalesce(sum(amount), 0) as amount,
        count(*) as receivables
    from {{ ref("receivables") }}

),

balances as (

    select
        coalesce(sum(coalesce(balance_ins, 0) + coalesce(balance_pt, 0)), 0) as amount,
        coalesce(sum(
            case when balance_ins <> 0 then 1 else 0 end
            + case when balance_pt <> 0 then 1 else 0 end
        ), 0) as receivables
    from {{ ref("stg_drchrono__line_items") }} as line_items
    where
        not line_items.is_deleted
        and not exists (
            select 1
            from {{ ref("stg_drchrono__appointments") }} as visits
            where
                visits.appointment_id = line_items.appointment_id
                and (
                    visits.is_deleted
                    or visits.is_break
                    or lower(visits.status)
                    in {{ drchrono_texts(var("drchrono_excluded_statuses")) }}
                )
        )

)

select owed.receivables - balances.receivables as difference
from owed
cross join balances
where owed.amount <> balances.amount or owed.receivables <> balances.receivables
