import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.OneofDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.StructProto;
import com.google.protobuf.TimestampProto;
import com.google.protobuf.WrappersProto;
import com.google.type.DateProto;
import com.google.type.TimeOfDayProto;
import com.squareup.wire.Syntax;
import com.squareup.wire.schema.Field;
import com.squareup.wire.schema.Location;
import com.squareup.wire.schema.internal.parser.EnumConstantElement;
import com.squareup.wire.schema.internal.parser.EnumElement;
import com.squareup.wire.schema.internal.parser.FieldElement;
import com.squareup.wire.schema.internal.parser.MessageElement;
import com.squareup.wire.schema.internal.parser.OneOfElement;
import com.squareup.wire.schema.internal.parser.OptionElement;
import com.squareup.wire.schema.internal.parser.ProtoFileElement;
import com.squareup.wire.schema.internal.parser.ProtoParser;
import com.squareup.wire.schema.internal.parser.TypeElement;

/**
 * Texts of Protobuf files as descriptors: Square's parser reads the text, protobuf-java finds the types that names
 * mean and checks everything.
 */
final class ProtoFile {
    /** Keys and values of the field option that carries what Connect knows, by the full name of the field. */
    private final Map<String, Map<String, String>> params = new HashMap<>();
    private final FileDescriptor file;

    private ProtoFile(String name, String text) throws DescriptorValidationException {
        ProtoFileElement element = ProtoParser.Companion.parse(Location.get(name), text);
        FileDescriptorProto.Builder out = FileDescriptorProto.newBuilder().setName(name);
        boolean isProto3 = element.getSyntax() != null && element.getSyntax().equals(Syntax.PROTO_3);
        out.setSyntax(isProto3 ? "proto3" : "proto2");
        String scope = "";
        if (element.getPackageName() != null) {
            out.setPackage(element.getPackageName());
            scope = element.getPackageName() + ".";
        }
        List<FileDescriptor> dependencies = new ArrayList<>();
        for (String imported : element.getImports()) {
            dependencies.add(imported(imported));
            out.addDependency(imported);
        }
        for (TypeElement type : element.getTypes()) {
            if (type instanceof MessageElement message) {
                out.addMessageType(message(scope, message, isProto3));
            } else {
                out.addEnumType(enumeration((EnumElement) type));
            }
        }
        file = FileDescriptor.buildFrom(out.build(), dependencies.toArray(new FileDescriptor[0]));
    }

    /** The file of a text that imports nothing but the files everybody has. */
    static ProtoFile parse(String text) {
        try {
            return new ProtoFile("registered.proto", text);
        } catch (DescriptorValidationException err) {
            throw new IllegalArgumentException(err);
        }
    }

    FileDescriptor file() {
        return file;
    }

    Map<String, Map<String, String>> params() {
        return params;
    }

    /** A file that everybody has. */
    static FileDescriptor imported(String name) {
        return switch (name) {
            case "confluent/meta.proto" -> KnownFiles.META;
            case "confluent/type/decimal.proto" -> KnownFiles.DECIMAL;
            case "google/protobuf/struct.proto" -> StructProto.getDescriptor();
            case "google/protobuf/timestamp.proto" -> TimestampProto.getDescriptor();
            case "google/protobuf/wrappers.proto" -> WrappersProto.getDescriptor();
            case "google/type/date.proto" -> DateProto.getDescriptor();
            case "google/type/timeofday.proto" -> TimeOfDayProto.getDescriptor();
            default -> throw new IllegalArgumentException("nobody has " + name);
        };
    }

    /** Files that are in no library: made when they are needed first. */
    private static final class KnownFiles {
        private static final FileDescriptor DECIMAL = known(
            "confluent/type/decimal.proto",
            "syntax = \"proto3\"; package confluent.type;"
                + " message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }");
        private static final FileDescriptor META =
            known("confluent/meta.proto", "syntax = \"proto3\"; package confluent;");

        private static FileDescriptor known(String name, String text) {
            try {
                return new ProtoFile(name, text).file;
            } catch (DescriptorValidationException err) {
                throw new ExceptionInInitializerError(err);
            }
        }
    }

    private DescriptorProto message(String outer, MessageElement message, boolean isProto3) {
        DescriptorProto.Builder out = DescriptorProto.newBuilder().setName(message.getName());
        String scope = outer + message.getName() + ".";
        for (TypeElement type : message.getNestedTypes()) {
            if (type instanceof MessageElement inner) {
                out.addNestedType(message(scope, inner, isProto3));
            } else {
                out.addEnumType(enumeration((EnumElement) type));
            }
        }
        for (OneOfElement oneof : message.getOneOfs()) {
            for (FieldElement field : oneof.getFields()) {
                out.addField(field(scope, field).setOneofIndex(out.getOneofDeclCount()));
            }
            out.addOneofDecl(OneofDescriptorProto.newBuilder().setName(oneof.getName()));
        }
        for (FieldElement field : message.getFields()) {
            FieldDescriptorProto.Builder made = field(scope, field);
            if (field.getType().startsWith("map<")) {
                DescriptorProto entry = entry(field);
                out.addNestedType(entry);
                made.setTypeName(entry.getName()).setLabel(FieldDescriptorProto.Label.LABEL_REPEATED);
            } else if (isProto3 && field.getLabel() == Field.Label.OPTIONAL) {
                made.setProto3Optional(true);
            }
            out.addField(made);
        }
        // The oneofs that stand for `optional` follow all others.
        for (FieldDescriptorProto.Builder field : out.getFieldBuilderList()) {
            if (field.getProto3Optional()) {
                field.setOneofIndex(out.getOneofDeclCount());
                out.addOneofDecl(OneofDescriptorProto.newBuilder().setName("_" + field.getName()));
            }
        }
        return out.build();
    }

    private FieldDescriptorProto.Builder field(String scope, FieldElement field) {
        FieldDescriptorProto.Builder out =
            FieldDescriptorProto.newBuilder().setName(field.getName()).setNumber(field.getTag());
        out.setLabel(label(field.getLabel()));
        if (!field.getType().startsWith("map<")) {
            setType(out, field.getType());
        }
        if (field.getDefaultValue() != null) {
            out.setDefaultValue(field.getDefaultValue());
        }
        for (OptionElement option : field.getOptions()) {
            if (option.getName().equals("confluent.field_meta")) {
                params.put(scope + field.getName(), params(option));
            }
        }
        return out;
    }

    private static FieldDescriptorProto.Label label(Field.Label label) {
        if (label == Field.Label.REPEATED) {
            return FieldDescriptorProto.Label.LABEL_REPEATED;
        }
        boolean required = label == Field.Label.REQUIRED;
        return required ? FieldDescriptorProto.Label.LABEL_REQUIRED : FieldDescriptorProto.Label.LABEL_OPTIONAL;
    }

    private static Map<String, String> params(OptionElement option) {
        Map<String, String> params = new HashMap<>();
        if (((Map<?, ?>) option.getValue()).get("params") instanceof List<?> entries) {
            for (Object each : entries) {
                Map<?, ?> entry = (Map<?, ?>) each;
                params.put((String) entry.get("key"), (String) entry.get("value"));
            }
        }
        return params;
    }

    private static DescriptorProto entry(FieldElement field) {
        String inner = field.getType().substring("map<".length(), field.getType().length() - 1);
        String[] types = inner.split(",", 2);
        DescriptorProto.Builder entry = DescriptorProto.newBuilder().setName(entryName(field.getName()));
        entry.getOptionsBuilder().setMapEntry(true);
        for (int at = 0; at < 2; at++) {
            FieldDescriptorProto.Builder member = entry.addFieldBuilder().setName(at == 0 ? "key" : "value");
            member.setNumber(at + 1).setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL);
            setType(member, types[at].strip());
        }
        return entry.build();
    }

    /** The message of the entries of a map: words between underscores are capitalized, single words stay. */
    static String entryName(String field) {
        if (!field.contains("_")) {
            return field + "Entry";
        }
        StringBuilder name = new StringBuilder();
        for (String word : field.split("_")) {
            if (!word.isEmpty()) {
                name.append(word.substring(0, 1).toUpperCase(Locale.ROOT));
                name.append(word.substring(1).toLowerCase(Locale.ROOT));
            }
        }
        return name.append("Entry").toString();
    }

    /** Sets a scalar type, or the name of another one. */
    static void setType(FieldDescriptorProto.Builder field, String type) {
        if (SCALARS.contains(type)) {
            field.setType(FieldDescriptorProto.Type.valueOf("TYPE_" + type.toUpperCase(Locale.ROOT)));
        } else {
            field.setTypeName(type);
        }
    }

    private static EnumDescriptorProto enumeration(EnumElement definition) {
        EnumDescriptorProto.Builder out = EnumDescriptorProto.newBuilder().setName(definition.getName());
        for (EnumConstantElement constant : definition.getConstants()) {
            out.addValueBuilder().setName(constant.getName()).setNumber(constant.getTag());
        }
        return out.build();
    }

    private static final java.util.Set<String> SCALARS = java.util.Set.of(
        "bool", "bytes", "double", "fixed32", "fixed64", "float", "int32", "int64", "sfixed32", "sfixed64", "sint32",
        "sint64", "string", "uint32", "uint64");
}
