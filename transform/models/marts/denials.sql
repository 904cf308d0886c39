-- One row a transaction by which an insurer denied a line item. It moves no money: the
-- balance stays until somebody acts.
select
    denials.transaction_id,
    denials.line_item_id,
    denials.appointment_id,
    denials.patient_id,
    denials.doctor_id,
    {{ drchrono_person("doctors") }} as doctor_name,
    denials.office_id,
    denials.office_name,
    denials.code,
    denials.payer_name,
    denials.adjustment as amount,
    denials.adjustment_group_code as group_code,
    denials.adjustment_reason as reason,
    denials.claim_status,
    denials.service_date,
    denials.posted_date,
    denials.check_date,
    {{ drchrono_days("coalesce(denials.check_date, denials.posted_date)", drchrono_as_of()) }} as days,
    coalesce(denials.insurance_balance, 0) as insurance_balance,
    coalesce(denials.insurance_balance <> 0, false) as is_open,
    -- Both claims are open again, or the secondary insurer is billed instead.
    denials.billing_status is not null
    and (
        (denials.ins1_status is null and denials.ins2_status is null)
        or (
            coalesce(denials.ins1_status, '') = 'ERA Denied'
            and denials.billing_status = 'Bill Secondary Insurance'
        )
    ) as is_rebilled
from {{ ref("int_drchrono__transactions") }} as denials
left join {{ ref("stg_drchrono__doctors") }} as doctors
    on denials.doctor_id = doctors.doctor_id
where denials.adjustment_kind = 'denial'
