import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.everit.json.schema.ArraySchema;
import org.everit.json.schema.BooleanSchema;
import org.everit.json.schema.CombinedSchema;
import org.everit.json.schema.EnumSchema;
import org.everit.json.schema.NullSchema;
import org.everit.json.schema.NumberSchema;
import org.everit.json.schema.ObjectSchema;
import org.everit.json.schema.ReferenceSchema;
import org.everit.json.schema.Schema;
import org.everit.json.schema.StringSchema;
import org.json.JSONArray;
import org.json.JSONObject;

/** Connect schemas as JSON Schemas; Everit's classes hold and print them. */
final class JsonSchemaDocument {
    private final JsonSchemaSettings settings;
    /** STRUCTs that were written and can be referred to. */
    private final Set<String> ids = new HashSet<>();

    private JsonSchemaDocument(JsonSchemaSettings settings) {
        this.settings = settings;
    }

    static Schema of(JsonSchemaSettings settings, org.apache.kafka.connect.data.Schema schema) {
        return new JsonSchemaDocument(settings).any(schema, null, true);
    }

    /** A schema; an optional one is a choice between null and its type, unless it is an alternative of a union. */
    private Schema any(org.apache.kafka.connect.data.Schema schema, Integer index, boolean withNull) {
        String id = JsonSchemaSettings.parameter(schema, JsonSchemaSettings.ID);
        if (id != null) {
            ids.add(id);
        }
        if (JsonSchemaSettings.isUnion(schema)) {
            List<Schema> alternatives = new ArrayList<>();
            if (schema.isOptional()) {
                alternatives.add(NullSchema.INSTANCE);
            }
            for (Field field : schema.fields()) {
                alternatives.add(any(required(field.schema()), field.index(), false));
            }
            return oneOf(id, index, alternatives);
        }
        if (schema.isOptional() && withNull) {
            boolean isStruct = schema.type() == org.apache.kafka.connect.data.Schema.Type.STRUCT;
            Schema value = typed(schema, isStruct ? id : null, null);
            return oneOf(id, index, List.of(NullSchema.INSTANCE, value));
        }
        return typed(schema, id, index);
    }

    private static org.apache.kafka.connect.data.Schema required(org.apache.kafka.connect.data.Schema schema) {
        boolean hasEntries = schema.type() == org.apache.kafka.connect.data.Schema.Type.MAP;
        boolean hasItems = hasEntries || schema.type() == org.apache.kafka.connect.data.Schema.Type.ARRAY;
        boolean hasFields = schema.type() == org.apache.kafka.connect.data.Schema.Type.STRUCT;
        return new ConnectSchema(
            schema.type(), false, schema.defaultValue(), schema.name(), schema.version(), schema.doc(),
            schema.parameters(), hasFields ? schema.fields() : null, hasEntries ? schema.keySchema() : null,
            hasItems ? schema.valueSchema() : null);
    }

    private static Schema oneOf(String id, Integer index, List<Schema> alternatives) {
        CombinedSchema.Builder builder = CombinedSchema.builder();
        builder.criterion(CombinedSchema.ONE_CRITERION).subschemas(alternatives);
        if (id != null) {
            builder.id(id);
        }
        Map<String, Object> extras = new HashMap<>();
        if (index != null) {
            extras.put("connect.index", index);
        }
        return builder.unprocessedProperties(extras).build();
    }

    private Schema typed(org.apache.kafka.connect.data.Schema schema, String id, Integer index) {
        Map<String, Object> extras = new HashMap<>();
        Schema.Builder<?> builder = builder(schema, extras);
        if (schema.name() != null) {
            builder.title(schema.name());
        }
        if (schema.doc() != null) {
            builder.description(schema.doc());
        }
        if (schema.defaultValue() != null) {
            builder.defaultValue(plain(new JsonSchemaWriter(settings).of(schema, schema.defaultValue())));
        }
        if (id != null) {
            builder.id(id);
        }
        if (schema.version() != null) {
            extras.put("connect.version", schema.version());
        }
        Map<String, String> parameters = new HashMap<>();
        if (schema.parameters() != null) {
            schema.parameters().forEach((name, value) -> {
                if (!name.startsWith(JsonSchemaSettings.NAMESPACE)) {
                    parameters.put(name, value);
                }
            });
        }
        if (!parameters.isEmpty()) {
            extras.put("connect.parameters", parameters);
        }
        if (index != null) {
            extras.put("connect.index", index);
        }
        return builder.unprocessedProperties(extras).build();
    }

    private Schema.Builder<?> builder(org.apache.kafka.connect.data.Schema schema, Map<String, Object> extras) {
        switch (schema.type()) {
            case INT8, INT16, INT32, INT64 -> {
                extras.put("connect.type", schema.type().getName());
                return NumberSchema.builder().requiresInteger(true);
            }
            case FLOAT32, FLOAT64 -> {
                extras.put("connect.type", schema.type().getName());
                return NumberSchema.builder();
            }
            case BOOLEAN -> {
                return BooleanSchema.builder();
            }
            case BYTES -> {
                extras.put("connect.type", "bytes");
                boolean isNumber = Decimal.LOGICAL_NAME.equals(schema.name()) && settings.numericDecimals();
                return isNumber ? NumberSchema.builder() : StringSchema.builder();
            }
            case STRING -> {
                boolean isEnum = JsonSchemaSettings.parameter(schema, JsonSchemaSettings.ENUM) != null
                    || JsonSchemaSettings.parameter(schema, JsonSchemaSettings.GENERALIZED_ENUM) != null;
                return isEnum ? symbols(schema) : StringSchema.builder();
            }
            case ARRAY -> {
                return ArraySchema.builder().allItemSchema(referable(schema.valueSchema(), null));
            }
            case MAP -> {
                extras.put("connect.type", "map");
                return map(schema);
            }
            default -> {
                ObjectSchema.Builder object = ObjectSchema.builder();
                for (Field field : schema.fields()) {
                    object.addPropertySchema(field.name(), referable(field.schema(), field.index()));
                }
                return settings.additionalProperties() ? object : object.additionalProperties(false);
            }
        }
    }

    private EnumSchema.Builder symbols(org.apache.kafka.connect.data.Schema schema) {
        EnumSchema.Builder symbols = EnumSchema.builder();
        String prefix = settings.enumParameter() + ".";
        for (String name : schema.parameters().keySet()) {
            if (name.startsWith(prefix)) {
                String symbol = name.substring(prefix.length());
                symbols.possibleValue(symbol.equals(JsonSchemaSettings.NULL_SYMBOL) ? null : symbol);
            }
        }
        return symbols;
    }

    private Schema.Builder<?> map(org.apache.kafka.connect.data.Schema schema) {
        if (JsonSchemaWriter.hasNames(schema)) {
            return ObjectSchema.builder().schemaOfAdditionalProperties(any(schema.valueSchema(), null, true));
        }
        ObjectSchema.Builder entry = ObjectSchema.builder();
        entry.addPropertySchema("key", any(schema.keySchema(), 0, true));
        entry.addPropertySchema("value", any(schema.valueSchema(), 1, true));
        return ArraySchema.builder().allItemSchema(entry.build());
    }

    private Schema referable(org.apache.kafka.connect.data.Schema schema, Integer index) {
        String id = JsonSchemaSettings.parameter(schema, JsonSchemaSettings.ID);
        return ids.contains(id) ? ReferenceSchema.builder().refValue(id).build() : any(schema, index, true);
    }

    /** A default as Everit takes it. */
    private static Object plain(JsonNode json) {
        if (json.isArray()) {
            JSONArray items = new JSONArray();
            json.forEach(item -> items.put(plain(item)));
            return items;
        }
        if (json.isObject()) {
            JSONObject object = new JSONObject();
            json.properties().forEach(member -> object.put(member.getKey(), plain(member.getValue())));
            return object;
        }
        if (json.isNumber()) {
            return json.numberValue();
        }
        if (json.isNull()) {
            return JSONObject.NULL;
        }
        return json.isBoolean() ? (Object) json.booleanValue() : json.asText();
    }
}
