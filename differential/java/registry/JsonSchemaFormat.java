import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.everit.json.schema.loader.SchemaLoader;
import org.json.JSONObject;

/**
 * What `JsonSchemaConverter` does between the id of a schema and Connect.
 *
 * The mapping is our own, written from the documented one: no open library on Maven Central has it. What it stands on
 * is not ours: Everit's library reads, holds and prints schemas and finds what references mean, Jackson reads and
 * writes values and makes numbers of them, and Kafka Connect checks every schema and STRUCT.
 */
final class JsonSchemaFormat implements RegistryConverter.Format {
    private static final ObjectMapper MAPPER = JsonMapper.builder()
        // As documented: numbers may start with zeros, and what is no number stands in quotes.
        .enable(JsonReadFeature.ALLOW_LEADING_ZEROS_FOR_NUMBERS)
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .nodeFactory(new JsonNodeFactory(true))
        .build();

    private final Map<String, org.everit.json.schema.Schema> parsed = new HashMap<>();
    /** Connect schemas by what they were made of. */
    private final Map<String, Schema> read = new HashMap<>();
    /** The texts that Connect schemas became. */
    private final Map<Schema, String> written = new IdentityHashMap<>();
    private JsonSchemaSettings settings;

    /** A value of org.json as a tree of Jackson. */
    static JsonNode node(Object value) {
        try {
            return MAPPER.readTree(JSONObject.valueToString(value));
        } catch (JsonProcessingException err) {
            throw new UncheckedIOException(err);
        }
    }

    @Override
    public void configure(Map<String, ?> configuration) {
        settings = JsonSchemaSettings.of(configuration);
    }

    /** The text as Jackson writes it again: of members of one name the last stays. */
    private static String canonicalText(String schema) {
        try {
            return MAPPER.writeValueAsString(MAPPER.readTree(schema));
        } catch (JsonProcessingException err) {
            throw new UncheckedIOException(err);
        }
    }

    @Override
    public String canonical(String schema) {
        parsed(schema);
        return schema;
    }

    private org.everit.json.schema.Schema parsed(String schema) {
        return parsed.computeIfAbsent(schema, text -> SchemaLoader.builder()
            .useDefaults(true).draftV7Support().schemaJson(new JSONObject(canonicalText(text))).build().load().build());
    }

    @Override
    public Object read(String schema, ByteBuffer body) throws IOException {
        return MAPPER.readValue(body.array(), body.position(), body.remaining(), JsonNode.class);
    }

    @Override
    public SchemaAndValue toConnect(String schema, int version, Object object) {
        JsonNode json = (JsonNode) object;
        Schema connect = read.get(schema);
        if (connect == null) {
            connect = new JsonSchemaToConnect(settings).root(parsed(schema), version);
            read.put(schema, connect);
        }
        return new SchemaAndValue(connect, JsonSchemaReader.value(connect, json));
    }

    @Override
    public RegistryConverter.Outgoing fromConnect(Schema schema, Object value) {
        if (schema == null) {
            if (value != null) {
                throw new DataException("a value without a schema");
            }
            return null;
        }
        String text = written.get(schema);
        if (text == null) {
            text = canonicalText(JsonSchemaDocument.of(settings, schema).toString());
            written.put(schema, text);
        }
        JsonNode json = new JsonSchemaWriter(settings).of(schema, value);
        return json == null ? null : new Outgoing(text, json);
    }

    private record Outgoing(String schema, JsonNode json) implements RegistryConverter.Outgoing {
        @Override
        public void write(ByteArrayOutputStream body) throws IOException {
            body.writeBytes(MAPPER.writeValueAsBytes(json));
        }
    }
}
