//! The JSON schemas of types of the crate `vigie-reading`, which knows nothing of the API. Beside the types of `monitor` that hold
//! them.

use utoipa::openapi::schema::{Object, ObjectBuilder, SchemaType, Type};

use crate::classify::Label;

/// The schema of a [`Label`].
pub(crate) fn label_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Label::ALL.map(Label::as_str))).build()
}

/// The schema of [`PublicMetrics`](crate::post::PublicMetrics), or none.
pub(super) fn metrics_schema() -> Object {
    let count = |types: SchemaType| ObjectBuilder::new().schema_type(types).minimum(Some(0)).build();
    let mut schema = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Object, Type::Null]));
    for name in ["reposts", "replies", "likes", "quotes"] {
        schema = schema.property(name, count(Type::Integer.into())).required(name);
    }
    schema.property("views", count(SchemaType::from_iter([Type::Integer, Type::Null]))).build()
}
