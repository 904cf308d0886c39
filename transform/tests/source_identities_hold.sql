-- DrChrono's own books: a warning, since what is wrong there is not wrong here. The mart
-- `checks` says which, and how often.
{{ config(severity="warn") }}
select identity, broken from {{ ref("checks") }} where broken > 0
