-- One row a visit: whether the patient came, and whether it was billed. Breaks, deleted
-- appointments and the patterns of series are none.
with charged as (

    select
        appointment_id,
        sum(billed) as billed,
        sum(balance) as balance,
        count(*) as line_items
    from {{ ref("charges") }}
    where appointment_id is not null
    group by appointment_id

),

-- Without any charge in the warehouse, nothing can be said of what was not billed.
known as (

    select count(billed) > 0 as are_charges_known from {{ ref("charges") }}

),

visits as (

    select
        visits.*,
        row_number() over (
            partition by visits.patient_id
            order by
                case when visits.outcome = 'kept' then 0 else 1 end,
                visits.scheduled_at,
                visits.appointment_id
        ) as kept_number
    from {{ ref("int_drchrono__visits") }} as visits
    where
        not visits.is_deleted
        and not visits.is_break
        and not visits.is_virtual_base

)

select
    visits.appointment_id,
    visits.patient_id,
    visits.doctor_id,
    {{ drchrono_person("doctors") }} as doctor_name,
    visits.office_id,
    visits.office_name,
    visits.appointment_profile_id,
    visits.appointment_profile_name,
    visits.scheduled_at,
    visits.visit_date,
    visits.duration,
    visits.status,
    visits.outcome,
    visits.is_walk_in,
    visits.outcome = 'kept' and visits.kept_number = 1 and visits.patient_id is not null
        as is_first_visit,
    {{ drchrono_days("cast(visits.created_at as date)", "visits.visit_date") }} as lead_days,
    visits.billing_status,
    visits.first_billed_date,
    cast(coalesce(charged.billed, 0) as decimal(18, 2)) as billed,
    cast(coalesce(charged.balance, 0) as decimal(18, 2)) as balance,
    coalesce(charged.line_items, 0) as line_items,
    case
        when known.are_charges_known
            then
                visits.outcome = 'kept'
                and coalesce(visits.visit_date < {{ drchrono_as_of() }}, false)
                and coalesce(charged.billed, 0) = 0
    end as is_unbilled,
    case
        when visits.is_note_locked is not null
            then
                visits.outcome = 'kept'
                and coalesce(visits.visit_date < {{ drchrono_as_of() }}, false)
                and not visits.is_note_locked
    end as is_note_unsigned
from visits
cross join known
left join charged on visits.appointment_id = charged.appointment_id
left join {{ ref("stg_drchrono__doctors") }} as doctors
    on visits.doctor_id = doctors.doctor_id
