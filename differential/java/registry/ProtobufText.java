import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;

/** A file as the registry's client prints it. */
final class ProtobufText {
    private final Map<String, Map<String, String>> params;

    /** Options of fields by the names around them and their own. */
    ProtobufText(Map<String, Map<String, String>> params) {
        this.params = params;
    }

    String of(FileDescriptorProto file) {
        StringBuilder out = new StringBuilder("syntax = \"proto3\";\n");
        if (file.hasPackage()) {
            out.append("package ").append(file.getPackage()).append(";\n");
        }
        if (file.getDependencyCount() > 0) {
            out.append('\n');
            file.getDependencyList().forEach(name -> out.append("import \"").append(name).append("\";\n"));
        }
        if (file.hasOptions()) {
            out.append('\n');
            file.getOptions().getAllFields().forEach((option, value) -> {
                String shown = value instanceof String text ? '"' + text + '"' : value.toString();
                out.append("option ").append(option.getName()).append(" = ").append(shown).append(";\n");
            });
        }
        out.append('\n');
        file.getMessageTypeList().forEach(message -> out.append(message(message.getName(), message)));
        return out.toString();
    }

    private String message(String path, DescriptorProto message) {
        StringBuilder out = new StringBuilder("message " + message.getName() + " {");
        List<FieldDescriptorProto> single =
            message.getFieldList().stream().filter(field -> !isMember(field)).collect(Collectors.toList());
        out.append(single.isEmpty() ? "" : "\n");
        single.forEach(field -> out.append(field(path, field).indent(2)));
        StringBuilder oneofs = new StringBuilder();
        for (int at = 0; at < message.getOneofDeclCount(); at++) {
            int index = at;
            String members = message.getFieldList().stream()
                .filter(field -> isMember(field) && field.getOneofIndex() == index)
                .map(field -> field(path, field).indent(2)).collect(Collectors.joining());
            if (!members.isEmpty()) {
                oneofs.append(("oneof " + message.getOneofDecl(at).getName() + " {\n" + members + "}").indent(2));
            }
        }
        out.append(oneofs.isEmpty() ? "" : "\n").append(oneofs);
        if (message.getNestedTypeCount() + message.getEnumTypeCount() > 0) {
            out.append('\n');
        }
        message.getNestedTypeList()
            .forEach(inner -> out.append(message(path + "." + inner.getName(), inner).indent(2)));
        message.getEnumTypeList().forEach(definition -> out.append(enumeration(definition).indent(2)));
        return out.append("}\n").toString();
    }

    private static boolean isMember(FieldDescriptorProto field) {
        return field.hasOneofIndex() && !field.getProto3Optional();
    }

    private static String enumeration(EnumDescriptorProto definition) {
        String values = definition.getValueList().stream()
            .map(value -> "  " + value.getName() + " = " + value.getNumber() + ";\n").collect(Collectors.joining());
        return "enum " + definition.getName() + " {" + (values.isEmpty() ? "" : "\n") + values + "}";
    }

    private String field(String path, FieldDescriptorProto field) {
        StringBuilder out = new StringBuilder();
        if (field.getLabel() == FieldDescriptorProto.Label.LABEL_REPEATED) {
            out.append("repeated ");
        } else if (field.getProto3Optional()) {
            out.append("optional ");
        }
        String scalar = field.getType().name().substring("TYPE_".length()).toLowerCase(java.util.Locale.ROOT);
        out.append(field.hasTypeName() ? field.getTypeName() : scalar);
        out.append(' ').append(field.getName()).append(" = ").append(field.getNumber());
        if (field.hasJsonName()) {
            out.append(" [json_name = \"").append(field.getJsonName()).append("\"]");
        }
        Map<String, String> option = params.get(path + "." + field.getName());
        if (option != null) {
            out.append(" [(confluent.field_meta) = {\n").append(params(option).indent(2)).append("}]");
        }
        return out.append(";\n").toString();
    }

    private static String params(Map<String, String> option) {
        StringBuilder out = new StringBuilder("params: [\n");
        for (Iterator<Map.Entry<String, String>> entries = option.entrySet().iterator(); entries.hasNext();) {
            Map.Entry<String, String> entry = entries.next();
            String key = "key: " + quoted(entry.getKey());
            String value = "value: " + quoted(entry.getValue());
            // Precision and scale have their value first, for older readers.
            boolean valueFirst = entry.getKey().equals("precision") || entry.getKey().equals("scale");
            String text = valueFirst ? value + ",\n  " + key : key + ",\n  " + value;
            out.append(("{\n  " + text + "\n}" + (entries.hasNext() ? "," : "")).indent(2));
        }
        return out.append(']').toString();
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
