import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Calendar;
import java.util.List;
import java.util.Map;
import java.util.TimeZone;

import com.google.protobuf.BoolValue;
import com.google.protobuf.ByteString;
import com.google.protobuf.BytesValue;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DoubleValue;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.FloatValue;
import com.google.protobuf.Int32Value;
import com.google.protobuf.Int64Value;
import com.google.protobuf.Message;
import com.google.protobuf.StringValue;
import com.google.protobuf.Timestamp;
import com.google.type.TimeOfDay;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.errors.DataException;

/** Connect values as messages of the file that their schema became. */
final class ProtobufMessages {
    private static final long SECONDS_MIN = -62_135_596_800L;
    private static final long SECONDS_MAX = 253_402_300_799L;

    private final ProtobufSettings settings;
    private final ProtobufFile file;

    ProtobufMessages(ProtobufSettings settings, ProtobufFile file) {
        this.settings = settings;
        this.file = file;
    }

    Message root(Schema schema, Object value) {
        if (schema.type() == Schema.Type.STRUCT) {
            return struct(file.root, (Struct) value);
        }
        Message logical = logical(schema, value);
        return logical != null ? logical : wrapped(schema, value);
    }

    private Message struct(Descriptor message, Struct struct) {
        DynamicMessage.Builder out = DynamicMessage.newBuilder(message);
        for (Field field : struct.schema().fields()) {
            Object value = get(struct, field);
            if (value == null) {
                continue;
            }
            if (ProtobufFile.isUnion(field.schema())) {
                member(out, message, (Struct) value);
            } else {
                set(out, message, field, value, false);
            }
        }
        return out.build();
    }

    private Object get(Struct struct, Field field) {
        return settings.ignoreDefaults() ? struct.getWithoutDefault(field.name()) : struct.get(field);
    }

    /** The first field of a union that has a value. */
    private void member(DynamicMessage.Builder out, Descriptor message, Struct union) {
        for (Field field : union.schema().fields()) {
            Object value = get(union, field);
            if (value != null) {
                set(out, message, field, value, true);
                return;
            }
        }
        throw new DataException("Cannot find non-null field");
    }

    private void set(DynamicMessage.Builder out, Descriptor message, Field field, Object value, boolean inOneof) {
        FieldDescriptor target = message.findFieldByName(file.scrubbed(field.name()));
        if (target == null) {
            throw new DataException("Cannot find field with name " + field.name());
        }
        Schema schema = field.schema();
        Object made = switch (schema.type()) {
            case ARRAY -> {
                List<Object> items = new ArrayList<>();
                for (Object item : (List<?>) value) {
                    items.add(item == null ? null : single(target, schema.valueSchema(), item, false));
                }
                yield items;
            }
            case MAP -> entries(target.getMessageType(), schema, (Map<?, ?>) value);
            default -> single(target, schema, value, inOneof);
        };
        if (made != null) {
            out.setField(target, made);
        }
    }

    private List<Message> entries(Descriptor entry, Schema schema, Map<?, ?> value) {
        List<Message> entries = new ArrayList<>();
        Field keyField = new Field("key", 0, schema.keySchema());
        Field valueField = new Field("value", 1, schema.valueSchema());
        value.forEach((key, item) -> {
            DynamicMessage.Builder out = DynamicMessage.newBuilder(entry);
            if (key != null) {
                set(out, entry, keyField, key, false);
            }
            if (item != null) {
                set(out, entry, valueField, item, false);
            }
            entries.add(out.build());
        });
        return entries;
    }

    /** Null for a number that its enum does not have. */
    private Object single(FieldDescriptor target, Schema schema, Object value, boolean inOneof) {
        Message logical = logical(schema, value);
        if (logical != null) {
            return logical;
        }
        if (schema.type() == Schema.Type.STRUCT) {
            return struct(target.getMessageType(), (Struct) value);
        }
        if (target.getType() == FieldDescriptor.Type.ENUM) {
            return symbol(target, schema, value);
        }
        boolean isMarked = Boolean.parseBoolean(ProtobufFile.parameter(schema, ProtobufSettings.WRAPPER));
        if (settings.wrappers() && schema.isOptional() && (!inOneof || isMarked)) {
            return wrapped(schema, value);
        }
        return switch (schema.type()) {
            case BYTES -> bytes(value);
            case INT8, INT16 -> ((Number) value).intValue();
            case INT64 -> isUnsigned32(schema) ? (Object) ((Number) value).intValue() : value;
            default -> value;
        };
    }

    private EnumValueDescriptor symbol(FieldDescriptor target, Schema schema, Object value) {
        int number;
        if (value instanceof String name) {
            String found = ProtobufFile.parameter(schema, settings.enumParameter() + "." + name);
            if (found == null) {
                throw new IllegalArgumentException("no symbol");
            }
            number = Integer.parseInt(found);
        } else {
            number = (Integer) value;
        }
        return target.getEnumType().findValueByNumber(number);
    }

    private static boolean isUnsigned32(Schema schema) {
        String declared = ProtobufFile.parameter(schema, ProtobufSettings.TYPE);
        return "uint32".equals(declared) || "fixed32".equals(declared);
    }

    private static ByteString bytes(Object value) {
        return value instanceof byte[] array ? ByteString.copyFrom(array) : ByteString.copyFrom((ByteBuffer) value);
    }

    /** 32-bit numbers are written as signed ones in the wrapper of unsigned ones, too. */
    private static Message wrapped(Schema schema, Object value) {
        return switch (schema.type()) {
            case BOOLEAN -> BoolValue.of((Boolean) value);
            case BYTES -> BytesValue.of(bytes(value));
            case FLOAT32 -> FloatValue.of((Float) value);
            case FLOAT64 -> DoubleValue.of((Double) value);
            case INT8, INT16, INT32 -> Int32Value.of(((Number) value).intValue());
            case INT64 -> isUnsigned32(schema)
                ? Int32Value.of(((Number) value).intValue()) : Int64Value.of((Long) value);
            default -> StringValue.of((String) value);
        };
    }

    private static Message logical(Schema schema, Object value) {
        return switch (schema.name() == null ? "" : schema.name()) {
            case Date.LOGICAL_NAME -> date((java.util.Date) value);
            case Decimal.LOGICAL_NAME -> decimal((BigDecimal) value);
            case Time.LOGICAL_NAME -> time((java.util.Date) value);
            case org.apache.kafka.connect.data.Timestamp.LOGICAL_NAME -> timestamp((java.util.Date) value);
            default -> null;
        };
    }

    private static Message decimal(BigDecimal value) {
        Descriptor type = ProtoFile.imported("confluent/type/decimal.proto").findMessageTypeByName("Decimal");
        DynamicMessage.Builder out = DynamicMessage.newBuilder(type);
        out.setField(type.findFieldByName("value"), ByteString.copyFrom(value.unscaledValue().toByteArray()));
        out.setField(type.findFieldByName("precision"), value.precision());
        return out.setField(type.findFieldByName("scale"), value.scale()).build();
    }

    private static Calendar calendar(java.util.Date date) {
        Calendar calendar = Calendar.getInstance(TimeZone.getTimeZone("UTC"));
        calendar.setTime(date);
        return calendar;
    }

    private static Message date(java.util.Date date) {
        Calendar calendar = calendar(date);
        if (Math.floorMod(date.getTime(), 86_400_000L) != 0) {
            throw new DataException("a date with a time of day");
        }
        return com.google.type.Date.newBuilder().setYear(calendar.get(Calendar.YEAR))
            .setMonth(calendar.get(Calendar.MONTH) + 1).setDay(calendar.get(Calendar.DAY_OF_MONTH)).build();
    }

    private static Message time(java.util.Date time) {
        if (time.getTime() < 0 || time.getTime() > 86_400_000L) {
            throw new DataException("a time of day beyond its day");
        }
        Calendar calendar = calendar(time);
        return TimeOfDay.newBuilder().setHours(calendar.get(Calendar.HOUR_OF_DAY))
            .setMinutes(calendar.get(Calendar.MINUTE)).setSeconds(calendar.get(Calendar.SECOND))
            .setNanos(calendar.get(Calendar.MILLISECOND) * 1_000_000).build();
    }

    private static Message timestamp(java.util.Date timestamp) {
        long seconds = Math.floorDiv(timestamp.getTime(), 1000L);
        if (seconds < SECONDS_MIN || seconds > SECONDS_MAX) {
            throw new IllegalArgumentException("Timestamp is not valid");
        }
        int nanos = Math.floorMod(timestamp.getTime(), 1000) * 1_000_000;
        return Timestamp.newBuilder().setSeconds(seconds).setNanos(nanos).build();
    }
}
