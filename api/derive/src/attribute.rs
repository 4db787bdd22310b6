//! What `#[config(...)]` on a field may say. Owns parsing and its complaints; makes no code.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, Field, LitStr, Token};

/// One field of the struct, understood.
pub(crate) struct KeyAttribute {
    pub(crate) name: LitStr,
    pub(crate) kind: TokenStream,
    pub(crate) default: Default,
    pub(crate) importance: TokenStream,
    pub(crate) group: Option<LitStr>,
    pub(crate) width: TokenStream,
    pub(crate) display: Option<LitStr>,
    pub(crate) validator: TokenStream,
    pub(crate) dependents: Vec<LitStr>,
    pub(crate) recommended: Vec<LitStr>,
    pub(crate) documentation: String,
}

/// What happens when the key is absent.
pub(crate) enum Default {
    Null,
    Required,
    Text(LitStr),
}

/// One entry between the parentheses.
enum Entry {
    Dependents(Vec<LitStr>),
    Recommended(Vec<LitStr>),
    Setting { word: syn::Ident, value: Expr },
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let word: syn::Ident = input.parse()?;
        if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            let items = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?.into_iter().collect();
            return match word.to_string().as_str() {
                "dependents" => Ok(Self::Dependents(items)),
                "recommended" => Ok(Self::Recommended(items)),
                _ => Err(syn::Error::new(word.span(), "unknown list; use dependents(..) or recommended(..)")),
            };
        }
        input.parse::<Token![=]>()?;
        Ok(Self::Setting { word, value: input.parse()? })
    }
}

/// Reads the `#[config(...)]` attribute and the doc comment of `field`.
pub(crate) fn read(field: &Field) -> syn::Result<KeyAttribute> {
    let attribute =
        field.attrs.iter().find(|attribute| attribute.path().is_ident("config")).ok_or_else(|| {
            syn::Error::new(field.span(), "field needs #[config(name = .., kind = .., ..)]")
        })?;
    let entries = attribute.parse_args_with(Punctuated::<Entry, Token![,]>::parse_terminated)?;
    let mut found = Settings::default();
    for entry in entries {
        found.accept(entry)?;
    }
    let missing = |what: &str| syn::Error::new(field.span(), format!("#[config] needs `{what} = ..`"));
    let documentation = documentation(field);
    if documentation.is_empty() {
        return Err(syn::Error::new(
            field.span(),
            "field needs a doc comment: it is the users' documentation",
        ));
    }
    let default = found.default.ok_or_else(|| missing("default"))?;
    if matches!(default, Default::Null) != is_option(field) {
        return Err(syn::Error::new(
            field.ty.span(),
            "`default = null` and an Option<..> field type belong together",
        ));
    }
    Ok(KeyAttribute {
        name: found.name.ok_or_else(|| missing("name"))?,
        kind: found.kind.ok_or_else(|| missing("kind"))?,
        default,
        importance: found.importance.ok_or_else(|| missing("importance"))?,
        group: found.group,
        width: found.width.unwrap_or_else(|| quote!(None)),
        display: found.display,
        validator: found.validator.unwrap_or_else(|| quote!(::lakeward_api::config::Validator::Any)),
        dependents: found.dependents,
        recommended: found.recommended,
        documentation,
    })
}

/// True when the field's type is `Option<..>`.
pub(crate) fn is_option(field: &Field) -> bool {
    match &field.ty {
        syn::Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
    }
}

#[derive(core::default::Default)]
struct Settings {
    name: Option<LitStr>,
    kind: Option<TokenStream>,
    default: Option<Default>,
    importance: Option<TokenStream>,
    group: Option<LitStr>,
    width: Option<TokenStream>,
    display: Option<LitStr>,
    validator: Option<TokenStream>,
    dependents: Vec<LitStr>,
    recommended: Vec<LitStr>,
}

impl Settings {
    fn accept(&mut self, entry: Entry) -> syn::Result<()> {
        let (word, value) = match entry {
            Entry::Dependents(items) => {
                self.dependents = items;
                return Ok(());
            }
            Entry::Recommended(items) => {
                self.recommended = items;
                return Ok(());
            }
            Entry::Setting { word, value } => (word, value),
        };
        match word.to_string().as_str() {
            "name" => self.name = Some(text(&value)?),
            "kind" => self.kind = Some(variant(&value, KINDS)?),
            "default" => self.default = Some(default(&value)?),
            "importance" => self.importance = Some(variant(&value, IMPORTANCES)?),
            "group" => self.group = Some(text(&value)?),
            "width" => self.width = Some(variant(&value, WIDTHS)?),
            "display" => self.display = Some(text(&value)?),
            "validate" => self.validator = Some(validator(&value)?),
            _ => return Err(syn::Error::new(word.span(), "unknown setting of #[config]")),
        }
        Ok(())
    }
}

fn text(value: &Expr) -> syn::Result<LitStr> {
    match value {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(syn::Error::new(other.span(), "expected a text in quotes")),
    }
}

/// The enum variant that the lower-case word stands for.
fn variant(value: &Expr, words: &[(&str, &str)]) -> syn::Result<TokenStream> {
    let given = text(value)?;
    match words.iter().find(|(word, _)| *word == given.value()) {
        Some((_, variant)) => {
            let variant = syn::Ident::new(variant, given.span());
            Ok(quote!(#variant))
        }
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Err(syn::Error::new(given.span(), format!("expected one of: {}", known.join(", "))))
        }
    }
}

fn default(value: &Expr) -> syn::Result<Default> {
    match value {
        Expr::Path(path) if path.path.is_ident("required") => Ok(Default::Required),
        Expr::Path(path) if path.path.is_ident("null") => Ok(Default::Null),
        other => text(other)
            .map(Default::Text)
            .map_err(|_| syn::Error::new(other.span(), "expected a text in quotes, `required` or `null`")),
    }
}

fn validator(value: &Expr) -> syn::Result<TokenStream> {
    let path = quote!(::lakeward_api::config::Validator);
    if let Expr::Path(word) = value {
        if word.path.is_ident("any") {
            return Ok(quote!(#path::Any));
        }
        if word.path.is_ident("non_empty") {
            return Ok(quote!(#path::NonEmpty));
        }
    }
    let Expr::Call(ExprCall { func, args, .. }) = value else {
        return Err(syn::Error::new(value.span(), VALIDATORS));
    };
    let Expr::Path(word) = func.as_ref() else {
        return Err(syn::Error::new(func.span(), VALIDATORS));
    };
    let word = word.path.get_ident().map(ToString::to_string).unwrap_or_default();
    match (word.as_str(), args.len()) {
        ("at_least", 1) => Ok(quote!(#path::AtLeast(#args))),
        ("between", 2) => Ok(quote!(#path::Between(#args))),
        ("custom", 1) => Ok(quote!(#path::Custom(#args))),
        ("one_of", 1..) => Ok(quote!(#path::OneOf(&[#args]))),
        ("one_of_ignore_case", 1..) => Ok(quote!(#path::OneOfIgnoreCase(&[#args]))),
        _ => Err(syn::Error::new(value.span(), VALIDATORS)),
    }
}

/// The doc comment as one text: lines joined by blanks, paragraphs by an empty line.
fn documentation(field: &Field) -> String {
    let mut paragraphs = vec![String::new()];
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let syn::Meta::NameValue(pair) = &attribute.meta else { continue };
        let Ok(line) = text(&pair.value) else { continue };
        let line = line.value();
        let last = paragraphs.last_mut().expect("starts with one paragraph and never shrinks");
        match (line.trim(), last.is_empty()) {
            ("", true) => {}
            ("", false) => paragraphs.push(String::new()),
            (words, true) => last.push_str(words),
            (words, false) => {
                last.push(' ');
                last.push_str(words);
            }
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

const VALIDATORS: &str = "expected any, non_empty, at_least(n), between(n, m), one_of(\"a\", ..), \
                          one_of_ignore_case(\"a\", ..) or custom(function)";

const KINDS: &[(&str, &str)] = &[
    ("boolean", "Boolean"),
    ("class", "Class"),
    ("double", "Double"),
    ("int", "Int"),
    ("list", "List"),
    ("long", "Long"),
    ("password", "Password"),
    ("short", "Short"),
    ("string", "String"),
];

const IMPORTANCES: &[(&str, &str)] = &[("high", "High"), ("low", "Low"), ("medium", "Medium")];

const WIDTHS: &[(&str, &str)] =
    &[("long", "Long"), ("medium", "Medium"), ("none", "None"), ("short", "Short")];
