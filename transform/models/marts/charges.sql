-- One row a line item that counts: its visit is not deleted and no break. A line item
-- without a visit, or whose visit was not loaded, stays in.
with line_items as (

    select * from {{ ref("stg_drchrono__line_items") }}
    where not is_deleted

),

joined as (

    select
        line_items.line_item_id,
        line_items.appointment_id,
        coalesce(visits.patient_id, line_items.patient_id) as patient_id,
        -- The doctor of the visit, as DrChrono's own reports group.
        coalesce(visits.doctor_id, line_items.doctor_id) as doctor_id,
        visits.office_id,
        visits.office_name,
        line_items.service_date,
        line_items.posted_date,
        visits.visit_date,
        visits.first_billed_date,
        visits.last_billed_date,
        line_items.procedure_type,
        line_items.code,
        line_items.quantity,
        line_items.price,
        line_items.billed,
        line_items.allowed,
        line_items.expected_reimbursement,
        line_items.adjustment,
        line_items.ins_total as insurance_paid,
        line_items.pt_paid as patient_paid,
        line_items.balance_ins as insurance_balance,
        line_items.balance_pt as patient_balance,
        line_items.balance_total as balance,
        coalesce(line_items.is_denied, false) as is_denied,
        line_items.billing_status as line_billing_status,
        line_items.insurance_status,
        visits.status as visit_status,
        visits.outcome as visit_outcome,
        visits.billing_status,
        visits.payment_profile,
        visits.ins1_status,
        visits.ins2_status,
        visits.primary_insurer_name,
        visits.secondary_insurer_name,
        coalesce(visits.payer_rank, 'primary') as payer_rank,
        visits.payer_name,
        visits.payer_id,
        coalesce(visits.payer_class, 'unknown') as payer_class
    from line_items
    left join {{ ref("int_drchrono__visits") }} as visits
        on line_items.appointment_id = visits.appointment_id
    where
        not coalesce(visits.is_deleted, false)
        and not coalesce(visits.is_break, false)

)

select
    joined.*,
    {{ drchrono_person("doctors") }} as doctor_name
from joined
left join {{ ref("stg_drchrono__doctors") }} as doctors
    on joined.doctor_id = doctors.doctor_id
