-- What happened to the money, one row an event. Only charges, insurance payments, write-offs
-- and patient payments are money; patient responsibility and denials tell how a balance
-- is judged, and 'other' are remittance lines without an amount.
with transactions as (

    select * from {{ ref("int_drchrono__transactions") }}

),

-- Remittances are joined by their trace number; where several days share one, none is told.
deposits as (

    select
        insurance_payer_trace_number as trace_number,
        case
            when min(deposit_date) = max(deposit_date) then min(deposit_date)
        end as deposit_date
    from {{ ref("stg_drchrono__eobs") }}
    where insurance_payer_trace_number is not null
    group by insurance_payer_trace_number

),

charges as (

    select
        'charge' as kind,
        line_item_id as record_id,
        billed as amount,
        posted_date,
        cast(null as date) as check_date,
        cast(null as date) as deposit_date,
        service_date,
        line_item_id,
        appointment_id,
        patient_id,
        doctor_id,
        office_id,
        office_name,
        cast(null as {{ drchrono_type("text") }}) as payer_name,
        cast(null as {{ drchrono_type("text") }}) as reason,
        coalesce(
            billed > 0
            and coalesce(visit_outcome, 'other') not in ('cancelled', 'rescheduled')
            -- A practice's own code on a missed visit is a fee for missing it.
            and not (
                coalesce(visit_outcome, 'other') = 'no show'
                and coalesce(procedure_type, 'U') in ('C', 'H', 'R')
            ),
            false
        ) as is_on_vendor_sheet
    from {{ ref("charges") }}
    where billed <> 0

),

deposited as (

    select
        transactions.*,
        deposits.deposit_date,
        coalesce(visit_outcome, 'other') not in ('cancelled', 'rescheduled', 'no show')
            as is_visit_on_sheet
    from transactions
    left join deposits on transactions.trace_number = deposits.trace_number

),

-- One that pays and adjusts is two events.
moves as (

    select
        deposited.*,
        'insurance payment' as kind,
        ins_paid as amount,
        adjustment_reason in ('-3', '225', '253') as is_kind_on_sheet
    from deposited
    where ins_paid <> 0

    union all

    select
        deposited.*,
        adjustment_kind as kind,
        adjustment as amount,
        adjustment_kind = 'write-off' and ins_paid = 0 as is_kind_on_sheet
    from deposited
    where adjustment_kind is not null

),

remittances as (

    select
        kind,
        transaction_id as record_id,
        amount,
        posted_date,
        check_date,
        deposit_date,
        service_date,
        line_item_id,
        appointment_id,
        patient_id,
        doctor_id,
        office_id,
        office_name,
        payer_name,
        adjustment_reason as reason,
        coalesce(is_kind_on_sheet and is_visit_on_sheet, false) as is_on_vendor_sheet
    from moves

),

-- Cash is cash: it stays on the sheet whatever became of the visit.
patient_payments as (

    select
        'patient payment' as kind,
        payments.patient_payment_id as record_id,
        payments.amount,
        payments.posted_date,
        payments.received_date as check_date,
        cast(null as date) as deposit_date,
        coalesce(charges.service_date, visits.visit_date) as service_date,
        payments.line_item_id,
        coalesce(payments.appointment_id, charges.appointment_id) as appointment_id,
        payments.patient_id,
        coalesce(visits.doctor_id, charges.doctor_id, payments.doctor_id) as doctor_id,
        coalesce(visits.office_id, charges.office_id) as office_id,
        coalesce(visits.office_name, charges.office_name) as office_name,
        cast(null as {{ drchrono_type("text") }}) as payer_name,
        payments.payment_transaction_type as reason,
        true as is_on_vendor_sheet
    from {{ ref("stg_drchrono__patient_payments") }} as payments
    left join {{ ref("charges") }} as charges
        on payments.line_item_id = charges.line_item_id
    left join {{ ref("int_drchrono__visits") }} as visits
        on payments.appointment_id = visits.appointment_id
    where not payments.is_deleted and payments.amount <> 0

),

events as (

    select * from charges
    union all
    select * from remittances
    union all
    select * from patient_payments

)

select
    concat(events.kind, '-', events.record_id) as event_id,
    events.kind,
    events.record_id,
    cast(events.amount as decimal(18, 2)) as amount,
    events.kind in ('charge', 'insurance payment', 'write-off', 'patient payment') as is_money,
    events.posted_date,
    events.check_date,
    events.deposit_date,
    events.service_date,
    events.line_item_id,
    events.appointment_id,
    events.patient_id,
    events.doctor_id,
    {{ drchrono_person("doctors") }} as doctor_name,
    events.office_id,
    events.office_name,
    events.payer_name,
    events.reason,
    events.is_on_vendor_sheet
from events
left join {{ ref("stg_drchrono__doctors") }} as doctors
    on events.doctor_id = doctors.doctor_id
