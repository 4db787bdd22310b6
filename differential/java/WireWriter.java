import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.Header;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;

/** Writes the parts of an answer. */
final class WireWriter {
    static final int CONFIGURED = 0;
    static final int NOT_CONFIGURED = 1;

    static final int NOTHING = 0;
    static final int TYPED = 1;
    static final int BYTES = 2;
    static final int RECORD = 3;
    static final int FAILED = 4;
    static final int TRUTH = 5;
    static final int REGISTERED = 6;

    static final int NULL = 0;
    static final int BOOLEAN = 1;
    static final int INT8 = 2;
    static final int INT16 = 3;
    static final int INT32 = 4;
    static final int INT64 = 5;
    static final int FLOAT32 = 6;
    static final int FLOAT64 = 7;
    static final int STRING = 8;
    static final int BINARY = 9;
    static final int LIST = 10;
    static final int MAP = 11;
    static final int STRUCT = 12;
    static final int DATE = 13;
    static final int DECIMAL = 14;
    static final int OTHER = 15;

    private static final int CAUSES_MAX = 8;

    private final Buffer out = new Buffer();
    private final Map<Schema, Integer> schemas = new IdentityHashMap<>();
    private int definitions;
    /** The STRUCTs around, the innermost last. */
    private final List<Schema> around = new ArrayList<>();

    /** Bytes that can be cut off again. */
    private static final class Buffer extends ByteArrayOutputStream {
        Buffer() {
            super(1 << 16);
        }

        void cutTo(int size) {
            count = size;
        }
    }

    byte[] bytes() {
        return out.toByteArray();
    }

    /** Runs {@code write}; when memory ends in it, nothing of it is written. */
    void allOrNothing(Runnable write) throws OutOfMemoryError {
        int size = out.size();
        int known = definitions;
        try {
            write.run();
        } catch (OutOfMemoryError full) {
            out.cutTo(size);
            schemas.values().removeIf(number -> number >= known);
            definitions = known;
            around.clear();
            throw full;
        }
    }

    /** Every case counts its schemas from 0. */
    void forgetSchemas() {
        schemas.clear();
        definitions = 0;
    }

    void u8(int number) {
        out.write(number);
    }

    void i16(int number) {
        out.write(number >>> 8);
        out.write(number);
    }

    void i32(int number) {
        i16(number >>> 16);
        i16(number);
    }

    void i64(long number) {
        i32((int) (number >>> 32));
        i32((int) number);
    }

    /** May be null. */
    void bytes(byte[] bytes) {
        if (bytes == null) {
            i32(-1);
        } else {
            i32(bytes.length);
            out.write(bytes, 0, bytes.length);
        }
    }

    /** May be null. Lone surrogates are written as if UTF-8 could hold them. */
    void text(String text) {
        if (text == null) {
            bytes(null);
        } else if (isWellFormed(text)) {
            bytes(text.getBytes(StandardCharsets.UTF_8));
        } else {
            ByteArrayOutputStream utf8 = new ByteArrayOutputStream();
            text.codePoints().forEach(point -> {
                if (point >= 0xd800 && point < 0xe000) {
                    utf8.write(0xe0 | point >> 12);
                    utf8.write(0x80 | point >> 6 & 0x3f);
                    utf8.write(0x80 | point & 0x3f);
                } else {
                    utf8.writeBytes(Character.toString(point).getBytes(StandardCharsets.UTF_8));
                }
            });
            bytes(utf8.toByteArray());
        }
    }

    private static boolean isWellFormed(String text) {
        for (int at = 0; at < text.length(); at++) {
            if (Character.isSurrogate(text.charAt(at))) {
                boolean pair = Character.isHighSurrogate(text.charAt(at)) && at + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(at + 1));
                if (!pair) {
                    return false;
                }
                at++;
            }
        }
        return true;
    }

    void failed(Throwable failure) {
        u8(FAILED);
        failure(failure);
    }

    /** The exception and its causes, outermost first. */
    void failure(Throwable failure) {
        int count = 0;
        for (Throwable each = failure; each != null && count < CAUSES_MAX; each = each.getCause()) {
            count++;
        }
        i32(count);
        Throwable each = failure;
        for (int at = 0; at < count; at++) {
            text(each.getClass().getName());
            text(each.getMessage());
            each = each.getCause();
        }
    }

    void typed(Schema schema, Object value) {
        schema(schema);
        value(schema, value);
    }

    private void schema(Schema schema) {
        if (schema == null) {
            i32(0);
            return;
        }
        // What is inside of a STRUCT may refer to it: it means something else elsewhere.
        Integer known = around.isEmpty() ? schemas.get(schema) : null;
        if (known != null) {
            i32(known + 2);
            return;
        }
        if (schema.type() == Schema.Type.STRUCT) {
            for (int levels = 1; levels <= around.size(); levels++) {
                if (Unfolded.sameFields(schema, around.get(around.size() - levels))) {
                    i32(WireReader.RECURSIVE);
                    u8(schema.isOptional() ? 1 : 0);
                    i32(levels);
                    return;
                }
            }
        }
        i32(1);
        u8(schema.type().ordinal());
        int flags = (schema.isOptional() ? WireReader.OPTIONAL : 0)
            | (schema.defaultValue() == null ? 0 : WireReader.HAS_DEFAULT)
            | (schema.version() == null ? 0 : WireReader.HAS_VERSION);
        u8(flags);
        if (schema.version() != null) {
            i32(schema.version());
        }
        text(schema.name());
        text(schema.doc());
        Map<String, String> parameters =
            schema.parameters() == null ? Collections.emptyMap() : schema.parameters();
        i32(parameters.size());
        parameters.forEach((name, value) -> {
            text(name);
            text(value);
        });
        switch (schema.type()) {
            case ARRAY -> schema(schema.valueSchema());
            case MAP -> {
                schema(schema.keySchema());
                schema(schema.valueSchema());
            }
            case STRUCT -> {
                i32(schema.fields().size());
                around.add(schema);
                for (Field field : schema.fields()) {
                    text(field.name());
                    schema(field.schema());
                }
                around.remove(around.size() - 1);
            }
            default -> { }
        }
        if (schema.defaultValue() != null) {
            value(schema, schema.defaultValue());
        }
        if (around.isEmpty()) {
            schemas.put(schema, definitions);
        }
        definitions++;
    }

    private void value(Schema schema, Object value) {
        if (value == null) {
            u8(NULL);
        } else if (value instanceof Boolean truth) {
            u8(BOOLEAN);
            u8(truth ? 1 : 0);
        } else if (value instanceof Number number) {
            number(number);
        } else if (value instanceof String text) {
            u8(STRING);
            text(text);
        } else if (value instanceof byte[] bytes) {
            u8(BINARY);
            bytes(bytes);
        } else if (value instanceof ByteBuffer buffer) {
            u8(BINARY);
            byte[] copy = new byte[buffer.remaining()];
            buffer.duplicate().get(copy);
            bytes(copy);
        } else if (value instanceof Date date) {
            u8(DATE);
            i64(date.getTime());
        } else if (value instanceof List<?> items) {
            u8(LIST);
            i32(items.size());
            for (Object item : items) {
                value(inner(schema, Schema.Type.ARRAY), item);
            }
        } else if (value instanceof Map<?, ?> entries) {
            u8(MAP);
            i32(entries.size());
            boolean typed = schema != null && schema.type() == Schema.Type.MAP;
            entries.forEach((key, entry) -> {
                value(typed ? schema.keySchema() : null, key);
                value(typed ? schema.valueSchema() : null, entry);
            });
        } else if (value instanceof Struct struct) {
            struct(schema, struct);
        } else {
            other(value);
        }
    }

    private static Schema inner(Schema schema, Schema.Type type) {
        return schema != null && schema.type() == type ? schema.valueSchema() : null;
    }

    private void number(Number number) {
        if (number instanceof Byte) {
            u8(INT8);
            u8(number.byteValue());
        } else if (number instanceof Short) {
            u8(INT16);
            i16(number.shortValue());
        } else if (number instanceof Integer) {
            u8(INT32);
            i32(number.intValue());
        } else if (number instanceof Long) {
            u8(INT64);
            i64(number.longValue());
        } else if (number instanceof Float) {
            u8(FLOAT32);
            i32(Float.floatToIntBits(number.floatValue()));
        } else if (number instanceof Double) {
            u8(FLOAT64);
            i64(Double.doubleToLongBits(number.doubleValue()));
        } else if (number instanceof BigDecimal decimal) {
            u8(DECIMAL);
            bytes(decimal.unscaledValue().toByteArray());
            i32(decimal.scale());
        } else {
            other(number);
        }
    }

    /** A struct that is not of the schema it stands under is something else: no sink could tell its fields. */
    private void struct(Schema schema, Struct struct) {
        Schema own = struct.schema();
        if (schema == null || schema.type() != Schema.Type.STRUCT || !sameFields(schema, own)) {
            other(struct);
            return;
        }
        u8(STRUCT);
        i32(own.fields().size());
        for (Field field : own.fields()) {
            value(field.schema(), struct.getWithoutDefault(field.name()));
        }
    }

    private static boolean sameFields(Schema one, Schema other) {
        return Unfolded.sameFields(one, other);
    }

    private void other(Object value) {
        u8(OTHER);
        text(value.getClass().getName());
    }

    void record(ConnectRecord<?> record) {
        SinkRecord sink = record instanceof SinkRecord one ? one : null;
        u8(sink != null ? 0 : 1);
        text(record.topic());
        optional(record.kafkaPartition() != null);
        if (record.kafkaPartition() != null) {
            i32(record.kafkaPartition());
        }
        typed(record.keySchema(), record.key());
        typed(record.valueSchema(), record.value());
        optional(record.timestamp() != null);
        if (record.timestamp() != null) {
            i64(record.timestamp());
        }
        u8((sink != null ? sink.timestampType() : TimestampType.NO_TIMESTAMP_TYPE).ordinal());
        i64(sink != null ? sink.kafkaOffset() : (Long) ((SourceRecord) record).sourceOffset().get("at"));
        i32(record.headers().size());
        for (Header header : record.headers()) {
            text(header.key());
            typed(header.schema(), header.value());
        }
    }

    private void optional(boolean present) {
        u8(present ? 1 : 0);
    }
}
