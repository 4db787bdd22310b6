import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.time.LocalTime;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Message;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/**
 * Messages as Connect values. What a field must have and does not have fails here, not when a sink looks at it: a
 * STRUCT is checked as soon as it is complete.
 */
final class ProtobufValues {
    private static final long SECONDS_MIN = -62_135_596_800L;
    private static final long SECONDS_MAX = 253_402_300_799L;

    private final ProtobufSettings settings;

    ProtobufValues(ProtobufSettings settings) {
        this.settings = settings;
    }

    Object root(Schema schema, Message message) {
        return schema.type() == Schema.Type.STRUCT ? struct(schema, message) : value(schema, message);
    }

    private Struct struct(Schema schema, Message message) {
        Struct struct = new Struct(schema);
        for (OneofDescriptor oneof : message.getDescriptorForType().getRealOneofs()) {
            FieldDescriptor field = message.getOneofFieldDescriptor(oneof);
            if (field == null) {
                continue;
            }
            if (settings.flattenUnions()) {
                put(struct, field, message);
            } else {
                String name = ProtobufToConnect.unionName(settings, oneof);
                Struct union = new Struct(schema.field(name).schema());
                put(union, field, message);
                struct.put(name, union);
            }
        }
        for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
            if (field.getRealContainingOneof() == null && isThere(field, message)) {
                put(struct, field, message);
            }
        }
        if (RegistryConverter.HAS_CHECKS) {
            struct.validate();
        }
        return struct;
    }

    private void put(Struct struct, FieldDescriptor field, Message message) {
        Schema schema = struct.schema().field(field.getName()).schema();
        struct.put(field.getName(), value(schema, message.getField(field)));
    }

    /** Whether the field has a value for Connect: fields without presence always have one. */
    private boolean isThere(FieldDescriptor field, Message message) {
        if (settings.structsForNulls() || field.isRepeated()) {
            return true;
        }
        boolean isProto3 = field.getFile().toProto().getSyntax().equals("proto3");
        boolean isOptional = ProtobufToConnect.hasOptionalKeyword(field) && (isProto3 || settings.proto2Optionals());
        boolean canBeAbsent = isOptional || field.getType() == FieldDescriptor.Type.MESSAGE;
        return !canBeAbsent || message.hasField(field);
    }

    private Object value(Schema schema, Object value) {
        if (value instanceof Message message && schema.type() != Schema.Type.STRUCT) {
            return logical(schema, message);
        }
        return switch (schema.type()) {
            case ARRAY -> {
                List<Object> items = new ArrayList<>();
                ((List<?>) value).forEach(item -> items.add(value(schema.valueSchema(), item)));
                yield items;
            }
            case MAP -> {
                Map<Object, Object> entries = new HashMap<>();
                for (Object each : (List<?>) value) {
                    Message entry = (Message) each;
                    Object key = value(schema.keySchema(), member(entry, "key"));
                    entries.put(key, value(schema.valueSchema(), member(entry, "value")));
                }
                yield entries;
            }
            case STRUCT -> struct(schema, (Message) value);
            default -> scalar(schema, value);
        };
    }

    private static Object member(Message message, String name) {
        return message.getField(message.getDescriptorForType().findFieldByName(name));
    }

    private static Object scalar(Schema schema, Object value) {
        return switch (schema.type()) {
            case BOOLEAN, FLOAT32, FLOAT64 -> value;
            case BYTES -> ByteBuffer.wrap(((ByteString) value).toByteArray());
            case INT8 -> ((Number) value).byteValue();
            case INT16 -> ((Number) value).shortValue();
            case INT32 -> value instanceof EnumValueDescriptor symbol ? (Object) symbol.getNumber() : value;
            case INT64 -> value instanceof Integer number ? (Object) Integer.toUnsignedLong(number) : value;
            case STRING -> value instanceof EnumValueDescriptor symbol ? symbol.getName() : value;
            default -> throw new IllegalStateException("no scalar: " + schema.type());
        };
    }

    /** A message that stands for one value. */
    private static Object logical(Schema schema, Message message) {
        return switch (schema.name() == null ? "" : schema.name()) {
            case Date.LOGICAL_NAME -> date(message);
            case Decimal.LOGICAL_NAME -> decimal(schema, message);
            case Time.LOGICAL_NAME -> time(message);
            case Timestamp.LOGICAL_NAME -> timestamp(message);
            default -> scalar(schema, member(message, "value"));
        };
    }

    private static java.util.Date date(Message message) {
        Calendar calendar = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
        calendar.clear();
        calendar.setLenient(false);
        calendar.set(int32(message, "year"), int32(message, "month") - 1, int32(message, "day"));
        return calendar.getTime();
    }

    private static java.util.Date time(Message message) {
        LocalTime time = LocalTime.of(
            int32(message, "hours"), int32(message, "minutes"), int32(message, "seconds"), int32(message, "nanos"));
        return new java.util.Date(time.toNanoOfDay() / 1_000_000);
    }

    private static java.util.Date timestamp(Message message) {
        long seconds = (Long) member(message, "seconds");
        int nanos = int32(message, "nanos");
        if (seconds < SECONDS_MIN || seconds > SECONDS_MAX || nanos < 0 || nanos > 999_999_999) {
            throw new IllegalArgumentException("Timestamp is not valid");
        }
        return new java.util.Date(seconds * 1000 + nanos / 1_000_000);
    }

    /** Rounded to the precision it names; its scale must be that of the field. */
    private static BigDecimal decimal(Schema schema, Message message) {
        BigInteger unscaled = new BigInteger(((ByteString) member(message, "value")).toByteArray());
        int precision = int32(message, "precision");
        int scale = int32(message, "scale");
        BigDecimal decimal = precision == 0
            ? new BigDecimal(unscaled, scale) : new BigDecimal(unscaled, scale, new MathContext(precision));
        Decimal.fromLogical(schema, decimal);
        return decimal;
    }

    private static int int32(Message message, String name) {
        return (Integer) member(message, name);
    }
}
