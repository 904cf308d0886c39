-- The money on the day sheet, and where it comes from: charges, payments, and the doctors'
-- months.
with sheet as (

    select
        coalesce(sum(case when kind = 'charge' then amount else 0 end), 0) as charges,
        coalesce(sum(case when kind = 'insurance payment' then amount else 0 end), 0)
            as insurance_payments,
        coalesce(sum(case when kind = 'patient payment' then amount else 0 end), 0)
            as patient_payments,
        coalesce(sum(case when kind = 'write-off' then amount else 0 end), 0) as write_offs
    from {{ ref("day_sheet") }}

),

months as (

    select
        coalesce(sum(charges), 0) as charges,
        coalesce(sum(insurance_payments), 0) as insurance_payments,
        coalesce(sum(patient_payments), 0) as patient_payments,
        coalesce(sum(write_offs), 0) as write_offs
    from {{ ref("provider_month") }}

),

sources as (

    select
        (select coalesce(sum(billed), 0) from {{ ref("charges") }}) as charges,
        (select coalesce(sum(ins_paid), 0) from {{ ref("int_drchrono__transactions") }})
            as insurance_payments,
        (
            select coalesce(sum(amount), 0)
            from {{ ref("stg_drchrono__patient_payments") }}
            where not is_deleted
        ) as patient_payments

)

select 1 as differs
from sheet
cross join months
cross join sources
where
    sheet.charges <> months.charges
    or sheet.insurance_payments <> months.insurance_payments
    or sheet.patient_payments <> months.patient_payments
    or sheet.write_offs <> months.write_offs
    or sheet.charges <> sources.charges
    or sheet.insurance_payments <> sources.insurance_payments
    or sheet.patient_payments <> sources.patient_payments
