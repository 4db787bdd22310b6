import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/** Messages as Connect schemas. */
final class ProtobufToConnect {
    private final ProtobufSettings settings;
    private final Map<String, Map<String, String>> params;
    /** Messages met before: the number of the first field that has one, if it is not a list. */
    private final Map<String, Integer> tags = new HashMap<>();
    /** The messages around the place at hand. */
    private final Map<String, SchemaBuilder> open = new HashMap<>();

    ProtobufToConnect(ProtobufSettings settings, Map<String, Map<String, String>> params) {
        this.settings = settings;
        this.params = params;
    }

    Schema root(Descriptor message, int version) {
        Schema.Type wrapped = settings.rawWrappers() ? wrapped(message) : null;
        SchemaBuilder builder = wrapped != null ? SchemaBuilder.type(wrapped) : struct(message);
        return builder.version(version).build();
    }

    private SchemaBuilder struct(Descriptor message) {
        tags.putIfAbsent(message.getFullName(), null);
        SchemaBuilder builder = SchemaBuilder.struct();
        open.put(message.getFullName(), builder);
        builder.name(settings.enhanced() ? message.getFullName() : message.getName());
        for (OneofDescriptor oneof : message.getRealOneofs()) {
            if (settings.flattenUnions()) {
                oneof.getFields().forEach(field -> builder.field(field.getName(), field(field, true)));
            } else {
                builder.field(unionName(settings, oneof), union(oneof));
            }
        }
        for (FieldDescriptor field : message.getFields()) {
            if (field.getRealContainingOneof() == null) {
                builder.field(field.getName(), field(field, false));
            }
        }
        open.remove(message.getFullName());
        return builder;
    }

    static String unionName(ProtobufSettings settings, OneofDescriptor oneof) {
        return settings.unionIndex() ? oneof.getName() + "_" + oneof.getIndex() : oneof.getName();
    }

    private Schema union(OneofDescriptor oneof) {
        SchemaBuilder builder = SchemaBuilder.struct().optional();
        if (settings.generalizedSums()) {
            builder.name(oneof.getName()).parameter(ProtobufSettings.GENERALIZED_UNION, oneof.getName());
        } else {
            String name = settings.enhanced() ? oneof.getFullName() : oneof.getName();
            builder.name(ProtobufSettings.UNION + "." + name);
        }
        oneof.getFields().forEach(field -> builder.field(field.getName(), field(field, true)));
        return builder.build();
    }

    private Schema field(FieldDescriptor field, boolean inOneof) {
        SchemaBuilder builder = value(field);
        if (field.isRepeated() && builder.type() != Schema.Type.MAP) {
            builder = SchemaBuilder.array(builder.optional().build()).optional();
        }
        if (inOneof) {
            builder.optional();
            boolean isMessage = field.getType() == FieldDescriptor.Type.MESSAGE;
            if (settings.wrappers() && isMessage && wrapped(field.getMessageType()) != null) {
                builder.parameter(ProtobufSettings.WRAPPER, "true");
            }
        } else if (settings.optionals()) {
            if (hasOptionalKeyword(field)) {
                builder.optional();
            }
        } else if (!settings.wrappers()) {
            builder.optional();
        }
        return builder.parameter(ProtobufSettings.TAG, Integer.toString(field.getNumber())).build();
    }

    /** Whether a field says `optional`; in proto2 that is what fields say that are neither required nor a list. */
    static boolean hasOptionalKeyword(FieldDescriptor field) {
        FieldDescriptorProto definition = field.toProto();
        boolean isProto2 = !field.getFile().toProto().getSyntax().equals("proto3");
        return definition.getProto3Optional()
            || isProto2 && !field.isRepeated() && !field.isRequired() && field.getContainingOneof() == null;
    }

    private SchemaBuilder value(FieldDescriptor field) {
        return switch (field.getType()) {
            case BOOL -> SchemaBuilder.bool();
            case BYTES -> SchemaBuilder.bytes();
            case DOUBLE -> SchemaBuilder.float64();
            case ENUM -> enumeration(field);
            case FLOAT -> SchemaBuilder.float32();
            case INT32, SFIXED32, SINT32 -> int32(field);
            case MESSAGE -> message(field).optional();
            case STRING -> SchemaBuilder.string();
            default -> typed(field, SchemaBuilder.int64(), "int64");
        };
    }

    private SchemaBuilder int32(FieldDescriptor field) {
        return switch (params(field).getOrDefault("connect.type", "")) {
            case "int8" -> SchemaBuilder.int8();
            case "int16" -> SchemaBuilder.int16();
            default -> typed(field, SchemaBuilder.int32(), "int32");
        };
    }

    private Map<String, String> params(FieldDescriptor field) {
        return params.getOrDefault(field.getFullName(), Map.of());
    }

    private static SchemaBuilder typed(FieldDescriptor field, SchemaBuilder builder, String usual) {
        String type = field.getType().name().toLowerCase(Locale.ROOT);
        return type.equals(usual) ? builder : builder.parameter(ProtobufSettings.TYPE, type);
    }

    private SchemaBuilder enumeration(FieldDescriptor field) {
        SchemaBuilder builder = settings.intEnums() ? SchemaBuilder.int32() : SchemaBuilder.string();
        var definition = field.getEnumType();
        String parameter = settings.enumParameter();
        builder.name(settings.enhanced() ? definition.getFullName() : definition.getName()).optional();
        builder.parameter(parameter, definition.getName());
        for (EnumValueDescriptor value : definition.getValues()) {
            builder.parameter(parameter + "." + value.getName(), Integer.toString(value.getNumber()));
        }
        return builder;
    }

    private SchemaBuilder message(FieldDescriptor field) {
        Descriptor message = field.getMessageType();
        switch (message.getFullName()) {
            case "confluent.type.Decimal" -> {
                SchemaBuilder builder = Decimal.builder(number(field, "scale", 0));
                Integer precision = number(field, "precision", null);
                return precision == null
                    ? builder : builder.parameter("connect.decimal.precision", precision.toString());
            }
            case "google.type.Date" -> {
                return Date.builder();
            }
            case "google.type.TimeOfDay" -> {
                return Time.builder();
            }
            case "google.protobuf.Timestamp" -> {
                return Timestamp.builder();
            }
            default -> { }
        }
        Schema.Type wrapped = settings.wrappers() || settings.rawWrappers() ? wrapped(message) : null;
        if (wrapped != null) {
            return SchemaBuilder.type(wrapped);
        }
        if (isMap(field)) {
            List<FieldDescriptor> members = message.getFields();
            SchemaBuilder map = SchemaBuilder.map(field(members.get(0), false), field(members.get(1), false));
            return map.name(mapName(settings.enhanced() ? message.getFullName() : message.getName()));
        }
        return structField(field, message);
    }

    /** A message that stands in several places is one schema, which keeps the number that its first place gave it. */
    private SchemaBuilder structField(FieldDescriptor field, Descriptor message) {
        SchemaBuilder around = open.get(message.getFullName());
        if (around != null) {
            return new ProtobufPlace(around);
        }
        boolean isKnown = tags.containsKey(message.getFullName());
        Integer tag = tags.get(message.getFullName());
        SchemaBuilder builder = struct(message);
        if (!isKnown) {
            tags.put(message.getFullName(), field.isRepeated() ? null : field.getNumber());
        } else if (tag != null) {
            builder.parameter(ProtobufSettings.TAG, tag.toString());
        }
        return builder;
    }

    private Integer number(FieldDescriptor field, String name, Integer fallback) {
        try {
            return Integer.valueOf(params(field).get(name));
        } catch (NumberFormatException absent) {
            return fallback;
        }
    }

    /** By its form alone: files that Connect schemas became do not say which messages are entries. */
    static boolean isMap(FieldDescriptor field) {
        if (field.getType() != FieldDescriptor.Type.MESSAGE || !field.isRepeated()) {
            return false;
        }
        List<FieldDescriptor> members = field.getMessageType().getFields();
        return field.getMessageType().getName().endsWith("Entry") && members.size() == 2
            && members.get(0).getName().equals("key") && !members.get(0).isRepeated()
            && members.get(1).getName().equals("value") && !members.get(1).isRepeated();
    }

    /** The Connect name of a map with that entry message. */
    private static String mapName(String entry) {
        int point = entry.lastIndexOf('.') + 1;
        StringBuilder name = new StringBuilder(entry.substring(0, point));
        String stem = entry.substring(point, entry.length() - "Entry".length());
        for (int at = 0; at < stem.length(); at++) {
            boolean isUpper = Character.isUpperCase(stem.charAt(at));
            name.append(isUpper && at > 0 ? "_" : "").append(Character.toLowerCase(stem.charAt(at)));
        }
        return name.toString();
    }

    /** The scalar type that a wrapper message of Google stands for. */
    static Schema.Type wrapped(Descriptor message) {
        return switch (message.getFullName()) {
            case "google.protobuf.BoolValue" -> Schema.Type.BOOLEAN;
            case "google.protobuf.BytesValue" -> Schema.Type.BYTES;
            case "google.protobuf.DoubleValue" -> Schema.Type.FLOAT64;
            case "google.protobuf.FloatValue" -> Schema.Type.FLOAT32;
            case "google.protobuf.Int32Value" -> Schema.Type.INT32;
            case "google.protobuf.Int64Value", "google.protobuf.UInt32Value", "google.protobuf.UInt64Value" ->
                Schema.Type.INT64;
            case "google.protobuf.StringValue" -> Schema.Type.STRING;
            default -> null;
        };
    }
}
