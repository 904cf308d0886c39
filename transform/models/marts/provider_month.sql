-- One row a doctor and month: visits by their day, money by the day it was posted.
with visited as (

    select
        coalesce(doctor_id, 'unknown') as doctor_id,
        {{ drchrono_month("visit_date") }} as month,
        count(*) as visits,
        sum(case when outcome = 'kept' then 1 else 0 end) as kept,
        sum(case when outcome = 'no show' then 1 else 0 end) as no_shows,
        sum(case when outcome in ('cancelled', 'rescheduled') then 1 else 0 end) as cancellations,
        sum(case when is_unbilled then 1 else 0 end) as unbilled
    from {{ ref("visits") }}
    group by 1, 2

),

posted as (

    select
        coalesce(doctor_id, 'unknown') as doctor_id,
        {{ drchrono_month("posted_date") }} as month,
        sum(case when kind = 'charge' then amount else 0 end) as charges,
        sum(case when kind = 'write-off' then amount else 0 end) as write_offs,
        sum(case when kind = 'insurance payment' then amount else 0 end) as insurance_payments,
        sum(case when kind = 'patient payment' then amount else 0 end) as patient_payments
    from {{ ref("day_sheet") }}
    where is_money
    group by 1, 2

),

both_kinds as (

    select doctor_id, month, visits, kept, no_shows, cancellations, unbilled,
        0 as charges, 0 as write_offs, 0 as insurance_payments, 0 as patient_payments
    from visited
    union all
    select doctor_id, month, 0, 0, 0, 0, 0,
        charges, write_offs, insurance_payments, patient_payments
    from posted

),

summed as (

    select
        doctor_id,
        month,
        sum(visits) as visits,
        sum(kept) as kept,
        sum(no_shows) as no_shows,
        sum(cancellations) as cancellations,
        sum(unbilled) as unbilled,
        sum(charges) as charges,
        sum(write_offs) as write_offs,
        sum(insurance_payments) as insurance_payments,
        sum(patient_payments) as patient_payments
    from both_kinds
    group by doctor_id, month

)

select
    concat(summed.doctor_id, ' / ', coalesce(cast(month as {{ drchrono_type("text") }}), 'undated'))
        as provider_month_id,
    summed.doctor_id,
    {{ drchrono_person("doctors") }} as doctor_name,
    month,
    {%- for count in ["visits", "kept", "no_shows", "cancellations", "unbilled"] %}
    cast({{ count }} as integer) as {{ count }},
    {%- endfor %}
    cast(
        case when kept + no_shows > 0 then no_shows * 1.0 / (kept + no_shows) end
        as decimal(9, 4)
    ) as no_show_share,
    {%- for amount in ["charges", "write_offs", "insurance_payments", "patient_payments"] %}
    cast({{ amount }} as decimal(18, 2)) as {{ amount }},
    {%- endfor %}
    cast(insurance_payments + patient_payments as decimal(18, 2)) as collections
from summed
left join {{ ref("stg_drchrono__doctors") }} as doctors
    on summed.doctor_id = doctors.doctor_id
