-- The visits of the doctors' months, and the visits.
with months as (

    select
        coalesce(sum(visits), 0) as visits,
        coalesce(sum(no_shows), 0) as no_shows,
        coalesce(sum(unbilled), 0) as unbilled
    from {{ ref("provider_month") }}

),

visits as (

    select
        count(*) as visits,
        coalesce(sum(case when outcome = 'no show' then 1 else 0 end), 0) as no_shows,
        coalesce(sum(case when is_unbilled then 1 else 0 end), 0) as unbilled
    from {{ ref("visits") }}

)

select 1 as differs
from months
cross join visits
where
    months.visits <> visits.visits
    or months.no_shows <> visits.no_shows
    or months.unbilled <> visits.unbilled
