import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.header.ConnectHeaders;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.source.SourceRecord;

/** Reads the parts of a request. */
final class WireReader {
    static final int OPTIONAL = 1;
    static final int HAS_DEFAULT = 2;
    static final int HAS_VERSION = 4;

    static final int RECURSIVE = -1;

    static final int SINK = 0;

    private final ByteBuffer bytes;
    private final List<Schema> schemas = new ArrayList<>();
    /** The places that refer to each of the STRUCTs around, the innermost last. */
    private final List<List<RecursiveSchema>> around = new ArrayList<>();
    private boolean keepsOrder;

    WireReader(byte[] frame) {
        bytes = ByteBuffer.wrap(frame);
    }

    /** Every case counts its schemas from 0. */
    void forgetSchemas() {
        schemas.clear();
    }

    int u8() {
        return bytes.get() & 0xff;
    }

    int i32() {
        return bytes.getInt();
    }

    /** May be null. */
    byte[] bytes() {
        int length = i32();
        if (length < 0) {
            return null;
        }
        byte[] copy = new byte[length];
        bytes.get(copy);
        return copy;
    }

    /** May be null. */
    String text() {
        byte[] utf8 = bytes();
        return utf8 == null ? null : new String(utf8, StandardCharsets.UTF_8);
    }

    SchemaAndValue typed() {
        Schema schema = schema();
        return new SchemaAndValue(schema, value(schema));
    }

    /** 0 is null, 1 a definition, n + 2 the definition n, -1 the place where a STRUCT contains itself. */
    Schema schema() {
        int reference = i32();
        return switch (reference) {
            case 0 -> null;
            case 1 -> definition();
            case RECURSIVE -> recursive();
            default -> schemas.get(reference - 2);
        };
    }

    private Schema recursive() {
        RecursiveSchema place = new RecursiveSchema(u8() != 0);
        around.get(around.size() - i32()).add(place);
        return place;
    }

    private Schema definition() {
        Schema.Type type = Schema.Type.values()[u8()];
        int flags = u8();
        Integer version = (flags & HAS_VERSION) == 0 ? null : i32();
        String name = text();
        String doc = text();
        Map<String, String> parameters = parameters();
        Schema key = null;
        Schema value = null;
        List<Field> fields = null;
        List<RecursiveSchema> places = List.of();
        switch (type) {
            case ARRAY -> value = schema();
            case MAP -> {
                key = schema();
                value = schema();
            }
            case STRUCT -> {
                int count = i32();
                fields = new ArrayList<>(count);
                around.add(new ArrayList<>());
                for (int at = 0; at < count; at++) {
                    fields.add(new Field(text(), at, schema()));
                }
                places = around.remove(around.size() - 1);
            }
            default -> { }
        }
        boolean optional = (flags & OPTIONAL) != 0;
        Schema schema =
            new ConnectSchema(type, optional, null, name, version, doc, parameters, fields, key, value);
        if ((flags & HAS_DEFAULT) != 0) {
            Object standIn = value(schema);
            schema =
                new ConnectSchema(type, optional, standIn, name, version, doc, parameters, fields, key, value);
        }
        for (RecursiveSchema place : places) {
            place.meant(schema);
        }
        schemas.add(schema);
        return schema;
    }

    private Map<String, String> parameters() {
        int count = i32();
        if (count == 0) {
            return null;
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        for (int at = 0; at < count; at++) {
            parameters.put(text(), text());
        }
        return parameters;
    }

    /** Whether maps keep the order of their entries; those that converters and transforms make do not. */
    void keepOrder(boolean keeps) {
        keepsOrder = keeps;
    }

    /** A value; its schema (or null) says what structs inside it are made of. */
    Object value(Schema schema) {
        int tag = u8();
        return switch (tag) {
            case WireWriter.NULL -> null;
            case WireWriter.BOOLEAN -> u8() != 0;
            case WireWriter.INT8 -> bytes.get();
            case WireWriter.INT16 -> bytes.getShort();
            case WireWriter.INT32 -> bytes.getInt();
            case WireWriter.INT64 -> bytes.getLong();
            case WireWriter.FLOAT32 -> Float.intBitsToFloat(bytes.getInt());
            case WireWriter.FLOAT64 -> Double.longBitsToDouble(bytes.getLong());
            case WireWriter.STRING -> text();
            case WireWriter.BINARY -> bytes();
            case WireWriter.LIST -> {
                int count = i32();
                List<Object> items = new ArrayList<>(count);
                for (int at = 0; at < count; at++) {
                    items.add(value(schema == null ? null : schema.valueSchema()));
                }
                yield items;
            }
            case WireWriter.MAP -> {
                int count = i32();
                Map<Object, Object> entries = keepsOrder ? new LinkedHashMap<>() : new HashMap<>();
                for (int at = 0; at < count; at++) {
                    Object key = value(schema == null ? null : schema.keySchema());
                    entries.put(key, value(schema == null ? null : schema.valueSchema()));
                }
                yield entries;
            }
            case WireWriter.STRUCT -> struct(schema);
            case WireWriter.DATE -> new Date(bytes.getLong());
            case WireWriter.DECIMAL -> new BigDecimal(new BigInteger(bytes()), i32());
            default -> throw new IllegalArgumentException("unknown value " + tag);
        };
    }

    private Struct struct(Schema schema) {
        Struct struct = new Struct(schema);
        int count = i32();
        for (int at = 0; at < count; at++) {
            Field field = schema.fields().get(at);
            Object value = value(field.schema());
            // A null under a required schema cannot be put; the field stays unset, which is the same.
            if (value != null) {
                struct.put(field, value);
            }
        }
        return struct;
    }

    ConnectRecord<?> record() {
        int side = u8();
        String topic = text();
        Integer partition = u8() == 0 ? null : i32();
        SchemaAndValue key = typed();
        SchemaAndValue value = typed();
        Long timestamp = u8() == 0 ? null : bytes.getLong();
        TimestampType type = TimestampType.values()[u8()];
        long offset = bytes.getLong();
        ConnectHeaders headers = new ConnectHeaders();
        int count = i32();
        for (int at = 0; at < count; at++) {
            headers.add(text(), typed());
        }
        if (side == SINK) {
            return new SinkRecord(
                topic, partition, key.schema(), key.value(), value.schema(), value.value(), offset, timestamp, type,
                headers);
        }
        return new SourceRecord(
            Collections.singletonMap("from", "here"), Collections.singletonMap("at", offset), topic, partition,
            key.schema(), key.value(), value.schema(), value.value(), timestamp, headers);
    }
}
