-- Every appointment, deleted ones and breaks too, with names, outcome, and who owes.
with appointments as (

    select * from {{ ref("stg_drchrono__appointments") }}

),

judged as (

    select
        appointments.*,
        cast(scheduled_at as date) as visit_date,
        cast(first_billed_at as date) as first_billed_date,
        cast(last_billed_at as date) as last_billed_date,
        case
            when lower(status) = 'no show' then 'no show'
            when lower(status) in ('cancelled', 'canceled') then 'cancelled'
            when lower(status) = 'rescheduled' then 'rescheduled'
            when lower(status) in {{ drchrono_texts(var("drchrono_kept_statuses")) }} then 'kept'
            when cast(scheduled_at as date) >= {{ drchrono_as_of() }} then 'upcoming'
            else 'other'
        end as outcome,
        -- A secondary insurer owes only once its claim is under way.
        case
            when ins1_status is not null and ins2_status is null then 'primary'
            when billing_status = 'Bill Secondary Insurance' then 'secondary'
            when
                billing_status = 'Bill Insurance'
                and ins1_status = 'Coordination of Benefits'
                then 'secondary'
            else 'primary'
        end as payer_rank
    from appointments

),

owing as (

    select
        judged.*,
        case payer_rank
            when 'secondary' then secondary_insurer_name
            else primary_insurer_name
        end as payer_name,
        case payer_rank
            when 'secondary' then secondary_insurer_payer_id
            else primary_insurer_payer_id
        end as payer_id
    from judged

),

patients as (

    select
        patient_id,
        primary_insurance__insurance_payer_id as primary_payer_id,
        primary_insurance__insurance_plan_type as primary_plan_type,
        secondary_insurance__insurance_payer_id as secondary_payer_id,
        secondary_insurance__insurance_plan_type as secondary_plan_type
    from {{ ref("stg_drchrono__patients") }}

),

-- A patient's insurance is that of today: it tells of a visit only if the payer is the same.
planned as (

    select
        owing.*,
        case
            when
                owing.payer_rank = 'secondary'
                and owing.payer_id = patients.secondary_payer_id
                then patients.secondary_plan_type
            when
                owing.payer_rank = 'primary'
                and owing.payer_id = patients.primary_payer_id
                then patients.primary_plan_type
        end as plan_type
    from owing
    left join patients on owing.patient_id = patients.patient_id

)

select
    planned.appointment_id,
    planned.patient_id,
    planned.doctor_id,
    planned.office_id,
    offices.name as office_name,
    planned.appointment_profile_id,
    profiles.name as appointment_profile_name,
    planned.is_deleted,
    planned.is_break,
    coalesce(planned.is_virtual_base, false) as is_virtual_base,
    coalesce(planned.is_walk_in, false) as is_walk_in,
    planned.created_at,
    planned.scheduled_at,
    planned.visit_date,
    planned.duration,
    planned.status,
    planned.outcome,
    planned.billing_status,
    planned.payment_profile,
    planned.first_billed_date,
    planned.last_billed_date,
    planned.ins1_status,
    planned.ins2_status,
    planned.primary_insurer_name,
    planned.secondary_insurer_name,
    planned.payer_rank,
    planned.payer_name,
    planned.payer_id,
    {{ drchrono_payer_class("planned.plan_type") }} as payer_class,
    planned.clinical_note__is_locked as is_note_locked
from planned
left join {{ ref("stg_drchrono__offices") }} as offices
    on planned.office_id = offices.office_id
left join {{ ref("stg_drchrono__appointment_profiles") }} as profiles
    on planned.appointment_profile_id = profiles.appointment_profile_id
