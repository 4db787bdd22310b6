//! What the benches share. Figures come from `cargo bench`; nothing here runs in the product.

pub mod records;
pub mod rows;
