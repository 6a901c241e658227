-- The intent model in force. One row per term: the bias, a page, or a range of a figure.
select
    model_version,
    feature,
    page,
    from_value,
    to_value,
    weight

from {{ source('learned', 'intent_model') }}
