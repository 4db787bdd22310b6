import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

import io.apicurio.registry.serde.avro.NonRecordContainer;
import io.apicurio.registry.utils.converter.avro.AvroData;
import io.apicurio.registry.utils.converter.avro.AvroDataConfig;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.common.cache.Cache;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.connect.data.SchemaAndValue;

/** Avro: Avro's own reader, writer and parser around a descendant of the class that maps data of Connect. */
final class AvroFormat implements RegistryConverter.Format {
    /** Settings that the class does not read from its configuration, with its fields and their defaults. */
    private static final Map<String, String> FLAGS = Map.of(
        "generalized.sum.type.support", "generalizedSumTypeSupport",
        "ignore.default.for.nullables", "ignoreDefaultForNullables",
        "scrub.invalid.names", "scrubInvalidNames",
        "discard.type.doc.default", "discardTypeDocDefault",
        "allow.optional.map.keys", "allowOptionalMapKey");

    /** A cache without entries. */
    private static final class Nothing implements Cache<Object, Object> {
        @Override
        public Object get(Object key) {
            return null;
        }

        @Override
        public void put(Object key, Object value) {
        }

        @Override
        public boolean remove(Object key) {
            return false;
        }

        @Override
        public long size() {
            return 0;
        }
    }

    /** A schema to read with, and its reader. */
    private record Reading(Schema schema, GenericDatumReader<Object> reader) {
    }

    /** A schema to write with, its text and its writer. */
    private record Writing(Schema schema, String text, GenericDatumWriter<Object> writer) {
    }

    private final Map<String, Reading> read = new HashMap<>();
    private final Map<org.apache.kafka.connect.data.Schema, Writing> written = new IdentityHashMap<>();
    private AvroData data;

    @Override
    public void configure(Map<String, ?> settings) {
        data = new AvroData(new AvroDataConfig(settings));
        FLAGS.forEach((name, field) -> {
            Object value = ConfigDef.parseType(name, settings.get(name), ConfigDef.Type.BOOLEAN);
            if (value != null) {
                set(field, value);
            }
        });
        // It takes schemas of one name for one schema.
        if (RegistryConverter.HAS_CHECKS) {
            set("fromConnectSchemaCache", new Nothing());
        }
    }

    private void set(String name, Object value) {
        try {
            Field field = AvroData.class.getDeclaredField(name);
            field.setAccessible(true);
            field.set(data, value);
        } catch (ReflectiveOperationException err) {
            throw new IllegalStateException(err);
        }
    }

    @Override
    public String canonical(String schema) {
        return reading(schema).schema().toString();
    }

    private Reading reading(String text) {
        Reading known = read.get(text);
        if (known == null) {
            // A reader takes what the registry once let in.
            Schema schema = new Schema.Parser().setValidateDefaults(false).parse(text);
            known = new Reading(schema, new GenericDatumReader<>(schema, schema));
            read.put(text, known);
        }
        return known;
    }

    private Writing writing(org.apache.kafka.connect.data.Schema schema) {
        Writing known = written.get(schema);
        if (known == null) {
            Schema avro = data.fromConnectSchema(schema);
            known = new Writing(avro, avro.toString(), new GenericDatumWriter<>(avro));
            written.put(schema, known);
        }
        return known;
    }

    @Override
    public Object read(String text, ByteBuffer body) throws IOException {
        Reading known = reading(text);
        // Bytes stand alone: their length is that of the payload.
        if (known.schema().getType() == Schema.Type.BYTES) {
            byte[] bytes = new byte[body.remaining()];
            body.get(bytes);
            return bytes;
        }
        BinaryDecoder decoder =
            DecoderFactory.get().binaryDecoder(body.array(), body.position(), body.remaining(), null);
        return known.reader().read(null, decoder);
    }

    @Override
    public SchemaAndValue toConnect(String schema, int version, Object object) {
        return data.toConnectData(reading(schema).schema(), object, version);
    }

    @Override
    public RegistryConverter.Outgoing fromConnect(org.apache.kafka.connect.data.Schema schema, Object value) {
        Writing known = writing(schema);
        Object object = data.fromConnectData(schema, value);
        return object == null ? null : new Outgoing(known, object);
    }

    private record Outgoing(Writing known, Object object) implements RegistryConverter.Outgoing {
        @Override
        public String schema() {
            return known.text();
        }

        @Override
        public void write(ByteArrayOutputStream body) throws IOException {
            Object value = object instanceof NonRecordContainer<?> one ? one.getValue() : object;
            if (known.schema().getType() == Schema.Type.BYTES) {
                bare(value, body);
                return;
            }
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(body, null);
            known.writer().write(value, encoder);
            encoder.flush();
        }

        private static void bare(Object value, ByteArrayOutputStream body) {
            if (value instanceof byte[] bytes) {
                body.writeBytes(bytes);
            } else if (value instanceof ByteBuffer buffer) {
                body.writeBytes(buffer.array());
            } else {
                throw new SerializationException("bytes are of " + value.getClass());
            }
        }
    }
}
