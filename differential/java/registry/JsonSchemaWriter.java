import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/** Connect values as JSON. */
final class JsonSchemaWriter {
    private static final JsonNodeFactory NODES = new JsonNodeFactory(true);

    private final JsonSchemaSettings settings;

    JsonSchemaWriter(JsonSchemaSettings settings) {
        this.settings = settings;
    }

    /** Null where Kafka's null is written. */
    JsonNode of(Schema schema, Object value) {
        if (value == null) {
            if (schema.defaultValue() != null && !settings.ignoreDefaults()) {
                return of(schema, schema.defaultValue());
            }
            return schema.isOptional() ? NODES.nullNode() : null;
        }
        JsonNode logical = logical(schema, value);
        if (logical != null) {
            return logical;
        }
        return switch (schema.type()) {
            case ARRAY -> array(schema, (Collection<?>) value);
            case BOOLEAN -> NODES.booleanNode((Boolean) value);
            case BYTES -> NODES.binaryNode(value instanceof ByteBuffer one ? one.array() : (byte[]) value);
            case FLOAT32 -> NODES.numberNode((Float) value);
            case FLOAT64 -> NODES.numberNode((Double) value);
            case INT8, INT16 -> NODES.numberNode(((Number) value).shortValue());
            case INT32 -> NODES.numberNode((Integer) value);
            case INT64 -> NODES.numberNode((Long) value);
            case MAP -> map(schema, (Map<?, ?>) value);
            case STRING -> NODES.textNode((String) value);
            case STRUCT -> JsonSchemaSettings.isUnion(schema)
                ? chosen(schema, (Struct) value) : object(schema, (Struct) value);
        };
    }

    private JsonNode logical(Schema schema, Object value) {
        return switch (schema.name() == null ? "" : schema.name()) {
            case Date.LOGICAL_NAME -> NODES.numberNode(Date.fromLogical(schema, (java.util.Date) value));
            case Decimal.LOGICAL_NAME -> settings.numericDecimals()
                ? NODES.numberNode((BigDecimal) value)
                : NODES.binaryNode(Decimal.fromLogical(schema, (BigDecimal) value));
            case Time.LOGICAL_NAME -> NODES.numberNode(Time.fromLogical(schema, (java.util.Date) value));
            case Timestamp.LOGICAL_NAME -> NODES.numberNode(Timestamp.fromLogical(schema, (java.util.Date) value));
            default -> null;
        };
    }

    private JsonNode array(Schema schema, Collection<?> items) {
        ArrayNode array = NODES.arrayNode();
        items.forEach(item -> array.add(of(schema.valueSchema(), item)));
        return array;
    }

    /** Text keys that are never null are names of members; others stand beside their values. */
    static boolean hasNames(Schema schema) {
        return schema.keySchema().type() == Schema.Type.STRING && !schema.keySchema().isOptional();
    }

    private JsonNode map(Schema schema, Map<?, ?> entries) {
        if (hasNames(schema)) {
            ObjectNode object = NODES.objectNode();
            entries.forEach((key, value) -> object.set((String) key, of(schema.valueSchema(), value)));
            return object;
        }
        ArrayNode array = NODES.arrayNode();
        entries.forEach((key, value) -> {
            ObjectNode entry = array.addObject();
            entry.set("key", of(schema.keySchema(), key));
            entry.set("value", of(schema.valueSchema(), value));
        });
        return array;
    }

    private Object get(Struct struct, Field field) {
        return settings.ignoreDefaults() ? struct.getWithoutDefault(field.name()) : struct.get(field);
    }

    private JsonNode chosen(Schema schema, Struct union) {
        for (Field field : schema.fields()) {
            Object value = get(union, field);
            if (value != null) {
                return of(field.schema(), value);
            }
        }
        return of(schema, null);
    }

    private JsonNode object(Schema schema, Struct struct) {
        ObjectNode object = NODES.objectNode();
        for (Field field : schema.fields()) {
            JsonNode member = of(field.schema(), get(struct, field));
            if (member != null) {
                object.set(field.name(), member);
            }
        }
        return object;
    }
}
