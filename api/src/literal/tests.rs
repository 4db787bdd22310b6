//! Literals of a list made by Java.
