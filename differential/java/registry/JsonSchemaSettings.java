import java.util.Map;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.data.Schema;

/** The settings of `JsonSchemaConverter` that change how schemas and values are mapped, and the names it gives. */
record JsonSchemaSettings(
    boolean generalizedSums, boolean ignoreDefaults, boolean additionalProperties, boolean optionalNonRequired,
    boolean flattenSingletons, boolean numericDecimals
) {
    static final String NAMESPACE = "io.confluent.connect.json";
    static final String ID = NAMESPACE + ".Id";
    static final String ENUM = NAMESPACE + ".Enum";
    static final String ONE_OF = NAMESPACE + ".OneOf";
    static final String GENERALIZED_ENUM = "org.apache.kafka.connect.data.Enum";
    static final String GENERALIZED_UNION = "org.apache.kafka.connect.data.Union";
    static final String NULL_SYMBOL = "<NULL>";

    static JsonSchemaSettings of(Map<String, ?> settings) {
        Object format = settings.get("decimal.format");
        boolean isNumeric = format != null && "NUMERIC".equalsIgnoreCase(format.toString());
        if (format != null && !isNumeric && !"BASE64".equalsIgnoreCase(format.toString())) {
            throw new ConfigException("decimal.format", format);
        }
        return new JsonSchemaSettings(
            flag(settings, "generalized.sum.type.support", false),
            flag(settings, "ignore.default.for.nullables", false),
            flag(settings, "object.additional.properties", true),
            flag(settings, "use.optional.for.nonrequired", false),
            flag(settings, "flatten.singleton.unions", true),
            isNumeric);
    }

    private static boolean flag(Map<String, ?> settings, String name, boolean fallback) {
        Object value = ConfigDef.parseType(name, settings.get(name), ConfigDef.Type.BOOLEAN);
        return value == null ? fallback : (Boolean) value;
    }

    String enumParameter() {
        return generalizedSums ? GENERALIZED_ENUM : ENUM;
    }

    static String parameter(Schema schema, String name) {
        return schema.parameters() == null ? null : schema.parameters().get(name);
    }

    /** Whether a STRUCT holds one of its fields. */
    static boolean isUnion(Schema schema) {
        return schema.type() == Schema.Type.STRUCT
            && (ONE_OF.equals(schema.name()) || parameter(schema, GENERALIZED_UNION) != null);
    }
}
