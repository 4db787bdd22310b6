import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;

/**
 * A converter over a registry that is a list of schemas, the id of each being its place counted from 1.
 *
 * The bytes around a value and the exceptions that are wrapped are those of the converters that ask a registry; what is
 * within is the business of a format. As in those converters nothing about a schema is found out twice: a format keeps
 * what it made of each.
 */
final class RegistryConverter implements Converter {
    private static final String AVRO = "io.confluent.connect.avro.AvroConverter";
    private static final String JSON_SCHEMA = "io.confluent.connect.json.JsonSchemaConverter";
    private static final String PROTOBUF = "io.confluent.connect.protobuf.ProtobufConverter";

    /**
     * Whether there are checks that the converters that ask a registry do not make: when answers count. Figures are
     * of their work alone.
     */
    static final boolean HAS_CHECKS = !Boolean.getBoolean("lakeward.figures");

    private static final int HEAD = 5;

    /** A language of schemas with its data; a converter has one of its own, which may keep what it parsed. */
    interface Format {
        void configure(Map<String, ?> settings);

        /** The text as the registry keeps it. */
        String canonical(String schema);

        /** The object of a body; what it throws is wrapped. */
        Object read(String schema, ByteBuffer body) throws Exception;

        /** What Connect gets of an object; null is null. What it throws is not wrapped. */
        SchemaAndValue toConnect(String schema, int version, Object object);

        /** What becomes of a value; null is null. What it throws is not wrapped. */
        Outgoing fromConnect(Schema schema, Object value);
    }

    /** A value on its way out. */
    interface Outgoing {
        /** The text of its schema. */
        String schema();

        /** Appends its body; what it throws is wrapped. */
        void write(ByteArrayOutputStream body) throws Exception;
    }

    private final Format format;
    private final List<String> schemas = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();
    /** How many there were before anything was written: payloads name no others. */
    private int given;

    private RegistryConverter(Format format) {
        this.format = format;
    }

    static boolean isOne(String className) {
        return List.of(AVRO, JSON_SCHEMA, PROTOBUF).contains(className);
    }

    /** Whether values are no text. */
    static boolean isBinary(String className) {
        return isOne(className) && !className.equals(JSON_SCHEMA);
    }

    static RegistryConverter of(String className, List<String> schemas) {
        RegistryConverter converter = new RegistryConverter(switch (className) {
            case AVRO -> new AvroFormat();
            case JSON_SCHEMA -> new JsonSchemaFormat();
            case PROTOBUF -> new ProtobufFormat();
            default -> throw new IllegalArgumentException("unknown format " + className);
        });
        for (String schema : schemas) {
            String canonical;
            try {
                canonical = converter.format.canonical(schema);
            } catch (Exception refused) {
                throw new SerializationException("schema refused", refused);
            }
            if (converter.ids.containsKey(canonical)) {
                throw new SerializationException("schema refused");
            }
            converter.register(canonical);
        }
        converter.given = schemas.size();
        return converter;
    }

    private int register(String schema) {
        schemas.add(schema);
        ids.put(schema, schemas.size());
        return schemas.size();
    }

    /** The schema that a payload names. */
    String schemaOf(byte[] payload) {
        return schemas.get(ByteBuffer.wrap(payload).getInt(1) - 1);
    }

    /** What follows the id of its schema in a payload. */
    static byte[] bodyOf(byte[] payload) {
        return Arrays.copyOfRange(payload, HEAD, payload.length);
    }

    @Override
    public void configure(Map<String, ?> settings, boolean isKey) {
        format.configure(settings);
    }

    @Override
    public byte[] fromConnectData(String topic, Schema schema, Object value) {
        Outgoing outgoing = format.fromConnect(schema, value);
        if (outgoing == null) {
            return null;
        }
        String text = outgoing.schema();
        Integer known = ids.get(text);
        int id = known != null ? known : register(text);
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        payload.write(0);
        payload.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(id).array());
        try {
            outgoing.write(payload);
        } catch (Exception failure) {
            throw new DataException("Failed to write", new SerializationException(failure));
        }
        return payload.toByteArray();
    }

    @Override
    public SchemaAndValue toConnectData(String topic, byte[] payload) {
        if (payload == null) {
            return SchemaAndValue.NULL;
        }
        int id;
        Object object;
        try {
            ByteBuffer body = ByteBuffer.wrap(payload);
            if (body.get() != 0) {
                throw new SerializationException("Unknown magic byte!");
            }
            id = body.getInt();
            if (id > given) {
                throw new SerializationException("no such schema");
            }
            object = format.read(schemas.get(id - 1), body);
        } catch (Exception failure) {
            throw new DataException("Failed to read", new SerializationException(failure));
        }
        SchemaAndValue value = format.toConnect(schemas.get(id - 1), id, object);
        if (value == null) {
            // What the task does with it.
            throw new NullPointerException("the converter answers null");
        }
        return value;
    }
}
