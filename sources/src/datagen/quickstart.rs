//! The ready-made schemas by name.
//!
//! Source: names, fields and key fields of `Quickstart` and its schemas in `kafka-connect-datagen`.

/// A ready-made schema.
#[derive(Debug)]
pub(super) struct Quickstart {
    /// What `quickstart` says, in any case.
    name: &'static str,
    /// What `schema.filename` says.
    file: &'static str,
    /// The field that becomes the key.
    pub(super) key_field: &'static str,
    /// The annotated Avro schema.
    pub(super) schema: &'static str,
}

/// The schema that is called `name`, in any case.
pub(super) fn named(name: &str) -> Option<&'static Quickstart> {
    QUICKSTARTS.iter().find(|quickstart| quickstart.name.eq_ignore_ascii_case(name))
}

/// The schema that Java has in the file `file`.
pub(super) fn of_file(file: &str) -> Option<&'static Quickstart> {
    QUICKSTARTS.iter().find(|quickstart| quickstart.file == file)
}

/// All names.
pub(super) fn names() -> Vec<&'static str> {
    QUICKSTARTS.iter().map(|quickstart| quickstart.name).collect()
}

macro_rules! quickstarts {
    ($($name:literal, $file:literal, $key:literal;)*) => {
        [$(Quickstart {
            name: $name,
            file: $file,
            key_field: $key,
            schema: include_str!(concat!("quickstarts/", $name, ".json")),
        }),*]
    };
}

static QUICKSTARTS: [Quickstart; 38] = quickstarts![
    "clickstream_codes", "clickstream_codes_schema.avro", "code";
    "clickstream", "clickstream_schema.avro", "ip";
    "clickstream_users", "clickstream_users_schema.avro", "user_id";
    "orders", "orders_schema.avro", "orderid";
    "ratings", "ratings_schema.avro", "rating_id";
    "users", "users_schema.avro", "userid";
    "users_", "users_array_map_schema.avro", "userid";
    "pageviews", "pageviews_schema.avro", "viewtime";
    "stock_trades", "stock_trades_schema.avro", "symbol";
    "inventory", "inventory.avro", "id";
    "product", "product.avro", "id";
    "purchases", "purchase.avro", "id";
    "transactions", "transactions.avro", "transaction_id";
    "stores", "stores.avro", "store_id";
    "credit_cards", "credit_cards.avro", "card_id";
    "campaign_finance", "campaign_finance.avro", "candidate_id";
    "fleet_mgmt_description", "fleet_mgmt_description.avro", "vehicle_id";
    "fleet_mgmt_location", "fleet_mgmt_location.avro", "vehicle_id";
    "fleet_mgmt_sensors", "fleet_mgmt_sensors.avro", "vehicle_id";
    "pizza_orders", "pizza_orders.avro", "store_id";
    "pizza_orders_completed", "pizza_orders_completed.avro", "store_id";
    "pizza_orders_cancelled", "pizza_orders_cancelled.avro", "store_id";
    "insurance_offers", "insurance_offers.avro", "offer_id";
    "insurance_customers", "insurance_customers.avro", "customer_id";
    "insurance_customer_activity", "insurance_customer_activity.avro", "activity_id";
    "gaming_games", "gaming_games.avro", "id";
    "gaming_players", "gaming_players.avro", "player_id";
    "gaming_player_activity", "gaming_player_activity.avro", "player_id";
    "payroll_employee", "payroll_employee.avro", "employee_id";
    "payroll_employee_location", "payroll_employee_location.avro", "employee_id";
    "payroll_bonus", "payroll_bonus.avro", "employee_id";
    "syslog_logs", "syslog_logs.avro", "host";
    "device_information", "device_information.avro", "device_ip";
    "siem_logs", "siem_logs.avro", "hostname";
    "shoes", "shoes.avro", "id";
    "shoe_customers", "shoe_customers.avro", "id";
    "shoe_orders", "shoe_orders.avro", "order_id";
    "shoe_clickstream", "shoe_clickstream.avro", "product_id";
];
