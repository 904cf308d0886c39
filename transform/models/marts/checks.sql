-- What DrChrono's own amounts should satisfy, as counts: nothing here tells of a patient or
-- of a practice's size in money, so it can be shown to anyone.
with line_items as (

    select * from {{ ref("stg_drchrono__line_items") }} where not is_deleted

),

transactions as (

    select * from {{ ref("int_drchrono__transactions") }}

),

-- Null where no transactions were loaded at all: then no sum can be compared.
summed as (

    select
        line_items.line_item_id,
        line_items.ins_total,
        line_items.adjustment,
        line_items.is_denied,
        case when loaded.transactions > 0 then coalesce(of_item.paid, 0) end as paid,
        case when loaded.transactions > 0 then coalesce(of_item.written_off, 0) end
            as written_off,
        case when loaded.transactions > 0 then coalesce(of_item.denials, 0) end as denials
    from line_items
    inner join {{ ref("charges") }} as charges
        on line_items.line_item_id = charges.line_item_id
    cross join (select count(*) as transactions from transactions) as loaded
    left join (
        select
            line_item_id,
            sum(ins_paid) as paid,
            sum(case when adjustment_kind = 'write-off' then adjustment else 0 end)
                as written_off,
            sum(case when adjustment_kind = 'denial' then 1 else 0 end) as denials
        from transactions
        where line_item_id is not null
        group by line_item_id
    ) as of_item
        on line_items.line_item_id = of_item.line_item_id

),

dated as (

    select line_items.service_date, visits.visit_date
    from line_items
    inner join {{ ref("int_drchrono__visits") }} as visits
        on line_items.appointment_id = visits.appointment_id

),

referring as (

    select visits.appointment_id is not null and not visits.is_deleted as holds
    from line_items
    left join {{ ref("int_drchrono__visits") }} as visits
        on line_items.appointment_id = visits.appointment_id
    where line_items.appointment_id is not null

    union all

    select known.line_item_id is not null as holds
    from {{ ref("stg_drchrono__transactions") }} as one
    left join line_items as known on one.line_item_id = known.line_item_id
    where
        not one.is_deleted
        and one.line_item_id is not null
        -- What went with a line item is known to be gone.
        and not exists (
            select 1
            from {{ ref("stg_drchrono__line_item_deletions") }} as gone
            where gone.line_item_id = one.line_item_id
        )

),

counted as (

    {{ drchrono_identity(1, "ins_total = ins1_paid + ins2_paid + ins3_paid",
        "select ins_total = coalesce(ins1_paid, 0) + coalesce(ins2_paid, 0) + coalesce(ins3_paid, 0) as holds from line_items") }}
    union all
    {{ drchrono_identity(2, "paid_total = ins_total + pt_paid",
        "select paid_total = ins_total + pt_paid as holds from line_items") }}
    union all
    {{ drchrono_identity(3, "balance_total = balance_ins + balance_pt",
        "select balance_total = balance_ins + balance_pt as holds from line_items") }}
    union all
    {{ drchrono_identity(4, "balance_total = billed - adjustment - paid_total",
        "select balance_total = billed - adjustment - paid_total as holds from line_items") }}
    union all
    {{ drchrono_identity(5, "billed = price x quantity",
        "select billed = round(price * quantity, 2) as holds from line_items") }}
    union all
    {{ drchrono_identity(6, "ins_total = sum of the transactions'' ins_paid",
        "select ins_total = paid as holds from summed") }}
    union all
    {{ drchrono_identity(7, "adjustment = sum of the write-offs among the transactions",
        "select adjustment = written_off as holds from summed") }}
    union all
    {{ drchrono_identity(8, "a transaction is a payment or an adjustment, not both",
        "select ins_paid = 0 or adjustment = 0 as holds from transactions") }}
    union all
    {{ drchrono_identity(9, "a denied line item has a transaction that denies it",
        "select denials > 0 as holds from summed where is_denied") }}
    union all
    {{ drchrono_identity(10, "service_date = day of the visit",
        "select service_date = visit_date as holds from dated") }}
    union all
    {{ drchrono_identity(11, "the visit of a line item, and the line item of a transaction, are there",
        "select holds from referring") }}

)

select
    counted.*,
    cast(case when compared > 0 then broken * 1.0 / compared end as decimal(9, 4))
        as share_broken
from counted
