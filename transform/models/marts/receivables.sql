-- One row for each balance that is not zero: who owes it, since when. A negative amount is
-- a credit, and is never left out.
{%- set aging = var("drchrono_aging_date") -%}
{%- if aging not in ("first_billed_date", "last_billed_date", "service_date") -%}
  {{ exceptions.raise_compiler_error(
      "drchrono_aging_date must be first_billed_date, last_billed_date or service_date"
  ) }}
{%- endif %}
with charges as (

    select
        charges.*,
        coalesce({{ aging }}, service_date, visit_date) as aged_from
    from {{ ref("charges") }} as charges
    where
        visit_status is null
        or lower(visit_status) not in {{ drchrono_texts(var("drchrono_excluded_statuses")) }}

),

sides as (

    select
        charges.*,
        'insurance' as side,
        insurance_balance as amount
    from charges
    where insurance_balance <> 0

    union all

    select
        charges.*,
        'patient' as side,
        patient_balance as amount
    from charges
    where patient_balance <> 0

),

dated as (

    select
        sides.*,
        {{ drchrono_days("aged_from", drchrono_as_of()) }} as days
    from sides

)

select
    concat(line_item_id, '-', side) as receivable_id,
    line_item_id,
    side,
    amount,
    amount < 0 as is_credit,
    aged_from,
    days,
    case
        when days is null then 'undated'
        when days <= 30 then '0-30'
        when days <= 60 then '31-60'
        when days <= 90 then '61-90'
        when days <= 120 then '91-120'
        else 'over 120'
    end as bucket,
    case when side = 'insurance' then payer_rank end as payer_rank,
    case when side = 'insurance' then payer_name end as payer_name,
    case when side = 'insurance' then payer_id end as payer_id,
    case when side = 'insurance' then payer_class else 'patient' end as payer_class,
    appointment_id,
    patient_id,
    doctor_id,
    doctor_name,
    office_id,
    office_name,
    code,
    service_date,
    first_billed_date,
    last_billed_date,
    first_billed_date is not null as is_billed,
    is_denied,
    visit_status,
    billing_status,
    ins1_status,
    ins2_status,
    line_billing_status
from dated
