-- The transactions that count, each with its line item, its visit, and what its adjustment
-- means. The API hides which adjustments DrChrono writes off, so that is judged by codes.
with transactions as (

    select * from {{ ref("stg_drchrono__transactions") }} as transactions
    where
        not is_deleted
        and not exists (
            select 1
            from {{ ref("stg_drchrono__line_item_deletions") }} as gone
            where gone.line_item_id = transactions.line_item_id
        )

),

line_items as (

    select
        line_item_id,
        appointment_id,
        patient_id,
        doctor_id,
        code,
        procedure_type,
        service_date,
        balance_ins,
        coalesce(is_denied, false) as is_denied,
        is_deleted
    from {{ ref("stg_drchrono__line_items") }}

),

joined as (

    select
        transactions.transaction_id,
        transactions.line_item_id,
        coalesce(line_items.appointment_id, transactions.appointment_id) as appointment_id,
        coalesce(line_items.patient_id, transactions.patient_id) as patient_id,
        coalesce(line_items.doctor_id, transactions.doctor_id) as doctor_id,
        line_items.code,
        line_items.procedure_type,
        line_items.service_date,
        line_items.balance_ins as insurance_balance,
        coalesce(line_items.is_denied, false) as is_denied,
        transactions.posted_date,
        transactions.check_date,
        transactions.trace_number,
        cast(coalesce(transactions.ins_paid, 0) as {{ drchrono_type("money") }}) as ins_paid,
        cast(coalesce(transactions.adjustment, 0) as {{ drchrono_type("money") }}) as adjustment,
        transactions.adjustment_group_code,
        transactions.adjustment_reason,
        transactions.claim_status,
        transactions.ins_name
    from transactions
    left join line_items on transactions.line_item_id = line_items.line_item_id
    where not coalesce(line_items.is_deleted, false)

)

select
    joined.transaction_id,
    joined.line_item_id,
    joined.appointment_id,
    coalesce(visits.patient_id, joined.patient_id) as patient_id,
    coalesce(visits.doctor_id, joined.doctor_id) as doctor_id,
    visits.office_id,
    visits.office_name,
    joined.code,
    joined.procedure_type,
    coalesce(joined.service_date, visits.visit_date) as service_date,
    joined.posted_date,
    joined.check_date,
    joined.trace_number,
    joined.ins_paid,
    joined.adjustment,
    joined.adjustment_group_code,
    joined.adjustment_reason,
    joined.claim_status,
    joined.is_denied,
    joined.insurance_balance,
    visits.outcome as visit_outcome,
    visits.billing_status,
    visits.ins1_status,
    visits.ins2_status,
    case
        when joined.ins_name = '1' then coalesce(visits.primary_insurer_name, 'primary')
        when joined.ins_name = '2' then coalesce(visits.secondary_insurer_name, 'secondary')
        when joined.ins_name = '0' then null
        else joined.ins_name
    end as payer_name,
    case
        -- A payment that carries no adjustment is no adjustment.
        when joined.ins_paid <> 0 and joined.adjustment = 0 then null
        when
            joined.adjustment_group_code = 'PR'
            or joined.adjustment_reason in ('1', '2', '3')
            then 'patient responsibility'
        when
            joined.is_denied
            and lower(joined.adjustment_reason)
            not in {{ drchrono_texts(var("drchrono_not_denials")) }}
            then 'denial'
        when joined.adjustment <> 0 then 'write-off'
        else 'other'
    end as adjustment_kind
from joined
left join {{ ref("int_drchrono__visits") }} as visits
    on joined.appointment_id = visits.appointment_id
where
    not coalesce(visits.is_deleted, false)
    and not coalesce(visits.is_break, false)
