import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.errors.DataException;

/**
 * JSON as Connect values. What a field must have and does not have fails here, not when a sink looks at it: a STRUCT
 * is checked as soon as it is complete.
 */
final class JsonSchemaReader {
    private JsonSchemaReader() {
    }

    /** `json` is null for a member that is not there. */
    static Object value(Schema schema, JsonNode json) {
        if (json == null || json.isNull()) {
            if (schema.defaultValue() != null) {
                return schema.defaultValue();
            }
            if (json == null || schema.isOptional()) {
                return null;
            }
            throw new DataException("Invalid null value for required " + schema.type() + " field");
        }
        return switch (schema.name() == null ? "" : schema.name()) {
            case Date.LOGICAL_NAME -> Date.toLogical(schema, int32(json));
            case Decimal.LOGICAL_NAME -> decimal(schema, json);
            case Time.LOGICAL_NAME -> Time.toLogical(schema, int32(json));
            case Timestamp.LOGICAL_NAME -> {
                check(json.isIntegralNumber(), "a timestamp is no integer");
                yield Timestamp.toLogical(schema, json.longValue());
            }
            default -> plain(schema, json);
        };
    }

    private static void check(boolean holds, String problem) {
        if (!holds) {
            throw new DataException(problem);
        }
    }

    private static int int32(JsonNode json) {
        check(json.isInt(), "not a 32-bit integer");
        return json.intValue();
    }

    /** Of the scale of its schema, or refused. */
    private static BigDecimal decimal(Schema schema, JsonNode json) {
        if (json.isNumber()) {
            BigDecimal decimal = json.decimalValue();
            Decimal.fromLogical(schema, decimal);
            return decimal;
        }
        check(json.isTextual(), "a decimal is neither a number nor bytes");
        try {
            return Decimal.toLogical(schema, json.binaryValue());
        } catch (IOException | RuntimeException err) {
            throw new DataException("Invalid bytes for Decimal field", err);
        }
    }

    private static Object plain(Schema schema, JsonNode json) {
        return switch (schema.type()) {
            case ARRAY -> {
                List<Object> items = new ArrayList<>();
                json.forEach(item -> items.add(value(schema.valueSchema(), item)));
                yield items;
            }
            case BOOLEAN -> json.booleanValue();
            case BYTES -> bytes(json);
            case FLOAT32 -> json.floatValue();
            case FLOAT64 -> json.doubleValue();
            case INT8 -> (byte) json.shortValue();
            case INT16 -> json.shortValue();
            case INT32 -> json.intValue();
            case INT64 -> json.longValue();
            case MAP -> map(schema, json);
            case STRING -> json.textValue();
            case STRUCT -> struct(schema, json);
        };
    }

    private static byte[] bytes(JsonNode json) {
        try {
            byte[] bytes = json.binaryValue();
            check(bytes != null, "no bytes");
            // Keys are never equal: an array is only equal to itself, and Jackson has one for all that are empty.
            return bytes.clone();
        } catch (IOException err) {
            throw new DataException("Invalid bytes field", err);
        }
    }

    private static Map<Object, Object> map(Schema schema, JsonNode json) {
        Map<Object, Object> entries = new HashMap<>();
        if (JsonSchemaWriter.hasNames(schema)) {
            check(json.isObject(), "a map is no object");
            json.properties().forEach(
                member -> entries.put(member.getKey(), value(schema.valueSchema(), member.getValue())));
            return entries;
        }
        check(json.isArray(), "a map is no list");
        for (JsonNode entry : json) {
            check(entry.isObject() && entry.size() == 2, "no entry of a map");
            Object key = value(schema.keySchema(), entry.get("key"));
            entries.put(key, value(schema.valueSchema(), entry.get("value")));
        }
        return entries;
    }

    private static Struct struct(Schema schema, JsonNode json) {
        Struct struct = new Struct(schema);
        if (JsonSchemaSettings.isUnion(schema)) {
            Field chosen = chosen(schema, json);
            return struct.put(chosen, value(chosen.schema(), json));
        }
        check(json.isObject(), "a struct is no object");
        for (Field field : schema.fields()) {
            Object value = value(field.schema(), json.get(field.name()));
            if (value != null) {
                struct.put(field, value);
            }
        }
        if (RegistryConverter.HAS_CHECKS) {
            struct.validate();
        }
        return struct;
    }

    /** The first alternative of that JSON type, or the STRUCT that knows most members. */
    private static Field chosen(Schema union, JsonNode json) {
        Field best = null;
        int most = 0;
        for (Field field : union.fields()) {
            if (isOf(field.schema(), json)) {
                return field;
            }
            int known = known(field.schema(), json);
            if (known > most) {
                most = known;
                best = field;
            }
        }
        check(best != null, "Did not find matching oneof field for data");
        return best;
    }

    private static boolean isOf(Schema schema, JsonNode json) {
        return switch (schema.type()) {
            case ARRAY -> json.isArray();
            case BOOLEAN -> json.isBoolean();
            case BYTES -> json.isBinary() || json.isBigDecimal();
            case FLOAT32, FLOAT64 -> json.isNumber();
            case INT8, INT16, INT32, INT64 -> json.isIntegralNumber();
            case MAP -> json.isObject() || json.isArray();
            case STRING -> json.isTextual();
            case STRUCT -> false;
        };
    }

    /** Members that a STRUCT has fields for, also in the STRUCTs below. */
    private static int known(Schema schema, JsonNode json) {
        if (schema.type() != Schema.Type.STRUCT || !json.isObject()) {
            return 0;
        }
        int known = 0;
        for (Iterator<String> names = json.fieldNames(); names.hasNext();) {
            String name = names.next();
            Field field = schema.field(name);
            known += field == null ? 0 : 1 + known(field.schema(), json.get(name));
        }
        return known;
    }
}
