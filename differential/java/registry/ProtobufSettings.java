import java.util.Map;

import org.apache.kafka.common.config.ConfigDef;

/** The settings of `ProtobufConverter` that change how schemas are mapped. */
record ProtobufSettings(
    boolean generalizedSums, boolean ignoreDefaults, boolean enhanced, boolean scrub, boolean intEnums,
    boolean optionals, boolean proto2Optionals, boolean wrappers, boolean rawWrappers, boolean structsForNulls,
    boolean unionIndex, boolean flattenUnions
) {
    static final String NAMESPACE = "io.confluent.connect.protobuf.";
    static final String UNION = NAMESPACE + "Union";
    static final String TAG = NAMESPACE + "Tag";
    static final String TYPE = NAMESPACE + "Type";
    static final String WRAPPER = NAMESPACE + "Wrapper";
    static final String GENERALIZED_UNION = "org.apache.kafka.connect.data.Union";
    static final String ENUM = NAMESPACE + "Enum";
    static final String GENERALIZED_ENUM = "org.apache.kafka.connect.data.Enum";

    static ProtobufSettings of(Map<String, ?> settings) {
        return new ProtobufSettings(
            flag(settings, "generalized.sum.type.support", false),
            flag(settings, "ignore.default.for.nullables", false),
            flag(settings, "enhanced.protobuf.schema.support", false),
            flag(settings, "scrub.invalid.names", false),
            flag(settings, "int.for.enums", false),
            flag(settings, "optional.for.nullables", false),
            flag(settings, "optional.for.proto2", true),
            flag(settings, "wrapper.for.nullables", false),
            flag(settings, "wrapper.for.raw.primitives", true),
            flag(settings, "generate.struct.for.nulls", false),
            flag(settings, "generate.index.for.unions", true),
            flag(settings, "flatten.unions", false));
    }

    private static boolean flag(Map<String, ?> settings, String name, boolean fallback) {
        Object value = ConfigDef.parseType(name, settings.get(name), ConfigDef.Type.BOOLEAN);
        return value == null ? fallback : (Boolean) value;
    }

    /** The parameter that makes a STRING or INT32 an enum. */
    String enumParameter() {
        return generalizedSums ? GENERALIZED_ENUM : ENUM;
    }
}
