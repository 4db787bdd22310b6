//! The code that `#[derive(ConfigDef)]` generates.

use std::collections::HashMap;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields};

use crate::attribute::{self, Default, KeyAttribute};

/// Generates the inherent functions of `input`, or the first complaint, pointing at the field it is about.
pub(crate) fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => &fields.named,
            _ => return Err(syn::Error::new(input.span(), "ConfigDef needs a struct with named fields")),
        },
        _ => return Err(syn::Error::new(input.span(), "ConfigDef can only be derived for a struct")),
    };
    let mut keys = Vec::new();
    let mut reads = Vec::new();
    let mut members = Vec::new();
    let mut order_by_group: HashMap<String, i32> = HashMap::new();
    for (index, field) in fields.iter().enumerate() {
        let attribute = attribute::read(field)?;
        let order = attribute.group.as_ref().map_or(-1, |group| {
            let order = order_by_group.entry(group.value()).or_insert(0);
            *order += 1;
            *order
        });
        keys.push(key(&attribute, order));
        let variable = format_ident!("field_{index}");
        reads.push(quote! { let #variable = read(&def.keys()[#index], props, &mut problems); });
        let ident = &field.ident;
        members.push(if attribute::is_option(field) {
            quote! { #ident: #variable }
        } else {
            quote! { #ident: #variable.expect("a key without a null default has a value or a problem") }
        });
    }
    Ok(assemble(input, &keys, &reads, &members))
}

fn assemble(
    input: &DeriveInput,
    keys: &[TokenStream],
    reads: &[TokenStream],
    members: &[TokenStream],
) -> TokenStream {
    let name = &input.ident;
    let visibility = &input.vis;
    let (generics, type_generics, clause) = input.generics.split_for_impl();
    quote! {
        const _: () = {
            /// Reads one key; pushes its problem, if any.
            fn read<T: ::lakeward_api::config::FromConfig>(
                key: &::lakeward_api::config::ConfigKey,
                props: &::lakeward_api::config::ConfigMap,
                problems: &mut ::std::vec::Vec<::lakeward_api::config::ConfigValue>,
            ) -> ::std::option::Option<T> {
                let given = props.get(&key.name).map(::std::string::String::as_str);
                let mut checked = key.validate(given);
                if !checked.errors.is_empty() {
                    problems.push(checked);
                    return ::std::option::Option::None;
                }
                let shown = checked.value.as_deref()?;
                // A validated secret is hidden; secrets are never normalised, so the given text is the value.
                let text = match (&key.kind, &key.default) {
                    (
                        ::lakeward_api::config::ConfigType::Password,
                        ::lakeward_api::config::DefaultValue::Text(text),
                    ) => given.unwrap_or(text),
                    (::lakeward_api::config::ConfigType::Password, _) => given.unwrap_or(shown),
                    _ => shown,
                };
                match T::from_config(text) {
                    ::std::result::Result::Ok(value) => ::std::option::Option::Some(value),
                    ::std::result::Result::Err(problem) => {
                        checked.errors.push(::std::format!(
                            "Invalid value {} for configuration {}: {}", shown, key.name, problem
                        ));
                        problems.push(checked);
                        ::std::option::Option::None
                    }
                }
            }

            impl #generics #name #type_generics #clause {
                /// The definitions of all keys, in field order, documented by the fields' doc comments.
                #visibility fn config_def() -> ::lakeward_api::config::ConfigDef {
                    ::lakeward_api::config::ConfigDef::new(::std::vec![#(#keys),*])
                }

                /// Parses every key; reports all problems, one entry per key that has any.
                #visibility fn parse(
                    props: &::lakeward_api::config::ConfigMap,
                ) -> ::std::result::Result<Self, ::std::vec::Vec<::lakeward_api::config::ConfigValue>> {
                    let def = Self::config_def();
                    let mut problems = ::std::vec::Vec::new();
                    #(#reads)*
                    if !problems.is_empty() {
                        return ::std::result::Result::Err(problems);
                    }
                    ::std::result::Result::Ok(Self { #(#members),* })
                }
            }
        };
    }
}

/// The expression of one `ConfigKey`.
fn key(attribute: &KeyAttribute, order: i32) -> TokenStream {
    let KeyAttribute { name, kind, importance, width, validator, documentation, .. } = attribute;
    let config = quote!(::lakeward_api::config);
    let default = match &attribute.default {
        Default::Null => quote!(#config::DefaultValue::Null),
        Default::Required => quote!(#config::DefaultValue::Required),
        Default::Text(text) => quote!(#config::DefaultValue::Text(#text.to_owned())),
    };
    let group = match &attribute.group {
        Some(group) => quote!(::std::option::Option::Some(#group.to_owned())),
        None => quote!(::std::option::Option::None),
    };
    let display = attribute.display.as_ref().unwrap_or(name);
    let dependents = &attribute.dependents;
    let recommended = &attribute.recommended;
    quote! {
        #config::ConfigKey {
            validator: #validator,
            documentation: #documentation.to_owned(),
            group: #group,
            order: #order,
            width: #config::Width::#width,
            display_name: #display.to_owned(),
            dependents: ::std::vec![#(#dependents.to_owned()),*],
            recommended_values: ::std::vec![#(#recommended.to_owned()),*],
            ..#config::ConfigKey::new(
                #name,
                #config::ConfigType::#kind,
                #default,
                #config::Importance::#importance,
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::expand;

    fn complaint(source: &str) -> String {
        expand(&syn::parse_str(source).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn every_misuse_is_named() {
        let field = |attribute: &str, kind: &str| {
            complaint(&format!("struct S {{ /** Doc. */ #[config({attribute})] a: {kind} }}"))
        };
        let base = r#"name = "a", kind = "int", importance = "low""#;
        assert!(field(base, "i32").contains("`default = ..`"));
        assert!(field(&format!("{base}, default = null"), "i32").contains("belong together"));
        assert!(field(&format!("{base}, default = required"), "Option<i32>").contains("belong together"));
        assert!(field(&format!("{base}, default = 3"), "i32").contains("`required` or `null`"));
        assert!(
            field(&format!("{base}, default = \"1\", validate = least(1)"), "i32").contains("at_least(n)")
        );
        assert!(
            field(&format!("{base}, default = \"1\", colour = \"red\""), "i32").contains("unknown setting")
        );
        assert!(field(&format!("{base}, default = \"1\", deps(\"b\")"), "i32").contains("unknown list"));
        assert!(field(r#"name = "a", kind = "integer""#, "i32").contains("expected one of: boolean"));
        assert!(complaint("struct S { /** Doc. */ a: i32 }").contains("needs #[config"));
        assert!(complaint("enum E { A }").contains("for a struct"));
        let undocumented = format!("struct S {{ #[config({base}, default = \"1\")] a: i32 }}");
        assert!(complaint(&undocumented).contains("doc comment"));
    }
}
