import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.OneofDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.WrappersProto;
import org.apache.kafka.connect.data.Date;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;

/** The Protobuf file that a Connect schema becomes. protobuf-java checks it; `ProtobufText` prints it. */
final class ProtobufFile {
    private static final String WRAPPERS = "google/protobuf/wrappers.proto";

    /** A field's option by the names around it and its own. */
    final Map<String, Map<String, String>> params = new TreeMap<>();
    final FileDescriptorProto definition;
    /** The message of the schema. */
    final Descriptor root;

    private final ProtobufSettings settings;
    private final Set<String> imports = new LinkedHashSet<>();
    private int unnamed;

    ProtobufFile(ProtobufSettings settings, Schema schema) {
        this.settings = settings;
        String fullName = named(schema.name());
        if (schema.type() != Schema.Type.STRUCT) {
            String wrapper = wrapper(schema, schema.type() == Schema.Type.INT64 ? "int64" : "");
            if (wrapper == null) {
                throw new IllegalArgumentException("Unsupported root schema of type " + schema.type());
            }
            definition = WrappersProto.getDescriptor().toProto();
            root = WrappersProto.getDescriptor().findMessageTypeByName(wrapper);
            return;
        }
        List<String> parts = new ArrayList<>();
        for (String part : fullName.split("\\.")) {
            parts.add(scrubbed(part));
        }
        String name = parts.remove(parts.size() - 1);
        FileDescriptorProto.Builder file = FileDescriptorProto.newBuilder().setSyntax("proto3");
        if (!parts.isEmpty()) {
            file.setPackage(String.join(".", parts));
        }
        file.addMessageType(message(name, name, schema));
        file.addAllDependency(imports);
        definition = file.build();
        List<FileDescriptor> dependencies = new ArrayList<>();
        for (String imported : imports) {
            dependencies.add(ProtoFile.imported(imported));
        }
        FileDescriptor checked;
        try {
            checked = FileDescriptor.buildFrom(definition, dependencies.toArray(new FileDescriptor[0]));
        } catch (DescriptorValidationException err) {
            throw new IllegalArgumentException("Invalid protobuf schema definition: " + err.getMessage(), err);
        }
        root = checked.findMessageTypeByName(name);
    }

    private String named(String name) {
        return name != null && !name.isEmpty() ? name : "ConnectDefault" + ++unnamed;
    }

    private String simpleName(Schema schema) {
        String name = named(schema.name());
        return scrubbed(name.substring(name.lastIndexOf('.') + 1));
    }

    String scrubbed(String name) {
        return settings.scrub() ? ProtobufNames.scrubbed(name) : name;
    }

    private DescriptorProto message(String path, String name, Schema schema) {
        DescriptorProto.Builder out = DescriptorProto.newBuilder().setName(name);
        Set<String> types = new HashSet<>(Set.of(name));
        List<FieldDescriptorProto.Builder> optional = new ArrayList<>();
        int next = 1;
        for (Field field : schema.fields()) {
            String tag = parameter(field.schema(), ProtobufSettings.TAG);
            int number = tag != null ? Integer.parseInt(tag) : next++;
            if (isUnion(field.schema())) {
                for (Field member : field.schema().fields()) {
                    String memberTag = parameter(member.schema(), ProtobufSettings.TAG);
                    int memberNumber = memberTag == null ? 0 : Integer.parseInt(memberTag);
                    var made = field(path, out, types, member, memberNumber, true);
                    out.addField(made.setOneofIndex(out.getOneofDeclCount()));
                }
                out.addOneofDecl(OneofDescriptorProto.newBuilder().setName(unionName(field.schema())));
                continue;
            }
            var made = field(path, out, types, field, number, false);
            boolean isRepeated = made.getLabel() == FieldDescriptorProto.Label.LABEL_REPEATED;
            if (settings.optionals() && field.schema().isOptional() && !isRepeated) {
                made.setProto3Optional(true);
            }
            out.addField(made);
        }
        for (FieldDescriptorProto.Builder field : out.getFieldBuilderList()) {
            if (field.getProto3Optional()) {
                field.setOneofIndex(out.getOneofDeclCount());
                out.addOneofDecl(OneofDescriptorProto.newBuilder().setName("_" + field.getName()));
            }
        }
        return out.build();
    }

    static boolean isUnion(Schema schema) {
        return schema.type() == Schema.Type.STRUCT
            && (schema.name() != null && schema.name().startsWith(ProtobufSettings.UNION)
                || parameter(schema, ProtobufSettings.GENERALIZED_UNION) != null);
    }

    private String unionName(Schema schema) {
        if (settings.generalizedSums()) {
            return parameter(schema, ProtobufSettings.GENERALIZED_UNION);
        }
        String name = schema.name().substring(ProtobufSettings.UNION.length() + 1);
        return scrubbed(name.substring(name.lastIndexOf('.') + 1));
    }

    private FieldDescriptorProto.Builder field(
        String path, DescriptorProto.Builder message, Set<String> types, Field field, int number, boolean inOneof
    ) {
        String name = scrubbed(field.name());
        Schema schema = field.schema();
        boolean isList = schema.type() == Schema.Type.ARRAY;
        boolean isRepeated = isList || schema.type() == Schema.Type.MAP;
        Schema inner = isList ? schema.valueSchema() : schema;
        if (isList && inner.type() == Schema.Type.MAP) {
            throw new IllegalArgumentException("an array of maps");
        }
        Map<String, String> option = new TreeMap<>();
        String type = type(path, message, types, name, inner, inOneof, option);
        if (!option.isEmpty()) {
            params.put(path + "." + name, option);
        }
        FieldDescriptorProto.Builder out = FieldDescriptorProto.newBuilder().setName(name).setNumber(number);
        ProtoFile.setType(out, type);
        return out.setLabel(
            isRepeated ? FieldDescriptorProto.Label.LABEL_REPEATED : FieldDescriptorProto.Label.LABEL_OPTIONAL);
    }

    private String type(
        String path, DescriptorProto.Builder message, Set<String> types, String name, Schema schema, boolean inOneof,
        Map<String, String> option
    ) {
        String logical = logical(schema, option);
        if (logical != null) {
            return logical;
        }
        switch (schema.type()) {
            case ARRAY -> throw new IllegalArgumentException("Array cannot be nested");
            case MAP -> {
                String entry = ProtoFile.entryName(simpleName(schema));
                message.addNestedType(entry(path + "." + entry, entry, schema));
                return entry;
            }
            case STRUCT -> {
                String simple = simpleName(schema);
                String type = simple.equals(name) ? simple + "Message" : simple;
                if (types.add(type)) {
                    message.addNestedType(message(path + "." + type, type, schema));
                }
                return type;
            }
            default -> {
                return scalar(message, schema, inOneof, option);
            }
        }
    }

    private DescriptorProto entry(String path, String name, Schema schema) {
        DescriptorProto.Builder entry = DescriptorProto.newBuilder().setName(name);
        Set<String> types = new HashSet<>(Set.of(name));
        Field key = new Field("key", 0, schema.keySchema());
        Field value = new Field("value", 1, schema.valueSchema());
        FieldDescriptorProto.Builder keyField = field(path, entry, types, key, 1, false);
        FieldDescriptorProto.Builder valueField = field(path, entry, types, value, 2, false);
        return entry.addField(keyField).addField(valueField).build();
    }

    private String logical(Schema schema, Map<String, String> option) {
        switch (schema.name() == null ? "" : schema.name()) {
            case Date.LOGICAL_NAME -> {
                imports.add("google/type/date.proto");
                return "google.type.Date";
            }
            case Decimal.LOGICAL_NAME -> {
                imports.add("confluent/type/decimal.proto");
                copy(schema, "connect.decimal.precision", option, "precision");
                copy(schema, "scale", option, "scale");
                return "confluent.type.Decimal";
            }
            case Time.LOGICAL_NAME -> {
                imports.add("google/type/timeofday.proto");
                return "google.type.TimeOfDay";
            }
            case Timestamp.LOGICAL_NAME -> {
                imports.add("google/protobuf/timestamp.proto");
                return "google.protobuf.Timestamp";
            }
            default -> {
                return null;
            }
        }
    }

    private static void copy(Schema schema, String from, Map<String, String> option, String to) {
        String value = parameter(schema, from);
        if (value != null) {
            option.put(to, value);
        }
    }

    private String scalar(
        DescriptorProto.Builder message, Schema schema, boolean inOneof, Map<String, String> option
    ) {
        String symbol = parameter(schema, ProtobufSettings.ENUM);
        String generalized = parameter(schema, ProtobufSettings.GENERALIZED_ENUM);
        boolean isText = schema.type() == Schema.Type.STRING;
        if (isText && generalized != null) {
            return enumeration(message, schema, generalized);
        }
        if (symbol != null && (isText || schema.type() == Schema.Type.INT32)) {
            return enumeration(message, schema, symbol);
        }
        String type = switch (schema.type()) {
            case BOOLEAN -> "bool";
            case BYTES -> "bytes";
            case FLOAT32 -> "float";
            case FLOAT64 -> "double";
            case INT32, INT64 -> declared(schema);
            case STRING -> "string";
            default -> "int32";
        };
        if (schema.type() == Schema.Type.INT8 || schema.type() == Schema.Type.INT16) {
            option.put("connect.type", schema.type().getName());
        }
        boolean isMarked = Boolean.parseBoolean(parameter(schema, ProtobufSettings.WRAPPER));
        if (settings.wrappers() && schema.isOptional() && (!inOneof || isMarked)) {
            imports.add(WRAPPERS);
            return "google.protobuf." + wrapper(schema, type);
        }
        return type;
    }

    private static String declared(Schema schema) {
        String declared = parameter(schema, ProtobufSettings.TYPE);
        return declared != null ? declared : schema.type().getName();
    }

    private String enumeration(DescriptorProto.Builder message, Schema schema, String type) {
        String name = simpleName(schema);
        if (message.getEnumTypeList().stream().anyMatch(known -> known.getName().equals(name))) {
            return type;
        }
        EnumDescriptorProto.Builder out = message.addEnumTypeBuilder().setName(name);
        String prefix = settings.enumParameter() + ".";
        schema.parameters().forEach((parameter, number) -> {
            if (parameter.startsWith(prefix)) {
                out.addValueBuilder().setName(parameter.substring(prefix.length())).setNumber(Integer.parseInt(number));
            }
        });
        return type;
    }

    static String parameter(Schema schema, String name) {
        return schema.parameters() == null ? null : schema.parameters().get(name);
    }

    /** The wrapper message of scalars; null of everything else. */
    private static String wrapper(Schema schema, String type) {
        return switch (schema.type()) {
            case BOOLEAN -> "BoolValue";
            case BYTES -> "BytesValue";
            case FLOAT32 -> "FloatValue";
            case FLOAT64 -> "DoubleValue";
            case INT8, INT16, INT32 -> "Int32Value";
            case INT64 -> switch (type) {
                case "uint32", "fixed32" -> "UInt32Value";
                case "uint64", "fixed64" -> "UInt64Value";
                default -> "Int64Value";
            };
            case STRING -> "StringValue";
            default -> null;
        };
    }
}
