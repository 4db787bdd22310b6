//! Values as Java objects: the class of every number counts.

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// null.
    Null,
    /// `Boolean`.
    Boolean(bool),
    /// `Byte`.
    Int8(i8),
    /// `Short`.
    Int16(i16),
    /// `Integer`.
    Int32(i32),
    /// `Long`.
    Int64(i64),
    /// `Float`.
    Float32(f32),
    /// `Double`.
    Float64(f64),
    /// `String`; lone surrogates of Java arrive as U+FFFD.
    String(String),
    /// `byte[]` or `ByteBuffer`.
    Bytes(Vec<u8>),
    /// `List`.
    List(Vec<Value>),
    /// `Map`: entries in iteration order.
    Map(Vec<(Value, Value)>),
    /// `Struct`: a value per field of the schema it stands under.
    Struct(Vec<Value>),
    /// `java.util.Date` in ms since the epoch.
    Date(i64),
    /// `BigDecimal`.
    Decimal {
        /// Unscaled value, two's complement, big-endian, shortest form.
        unscaled: Vec<u8>,
        /// Digits after the point.
        scale: i32,
    },
    /// An object that is no Connect value; its class.
    Other(String),
}

impl Value {
    /// A STRING.
    pub fn text(text: impl Into<String>) -> Self {
        Self::String(text.into())
    }

    /// Equality that compares floats by their bits (all NaNs are one) and maps without order.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float32(one), Self::Float32(two)) => {
                one.to_bits() == two.to_bits() || (one.is_nan() && two.is_nan())
            }
            (Self::Float64(one), Self::Float64(two)) => {
                one.to_bits() == two.to_bits() || (one.is_nan() && two.is_nan())
            }
            (Self::List(one), Self::List(two)) | (Self::Struct(one), Self::Struct(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.same(two))
            }
            (Self::Map(one), Self::Map(two)) => {
                let has = |(key, value): &(Self, Self)| {
                    two.iter().any(|(other, candidate)| key.same(other) && value.same(candidate))
                };
                one.len() == two.len() && one.iter().all(has)
            }
            _ => self == other,
        }
    }
}
