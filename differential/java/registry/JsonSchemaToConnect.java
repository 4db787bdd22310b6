import java.util.Collection;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.errors.DataException;
import org.everit.json.schema.ArraySchema;
import org.everit.json.schema.BooleanSchema;
import org.everit.json.schema.CombinedSchema;
import org.everit.json.schema.ConstSchema;
import org.everit.json.schema.EnumSchema;
import org.everit.json.schema.NullSchema;
import org.everit.json.schema.NumberSchema;
import org.everit.json.schema.ObjectSchema;
import org.everit.json.schema.ReferenceSchema;
import org.everit.json.schema.Schema;
import org.everit.json.schema.StringSchema;

/** JSON Schemas, as Everit reads them, as Connect schemas. */
final class JsonSchemaToConnect {
    /** A property of an `allOf`. */
    private record Property(Schema schema, boolean isRequired) {
    }

    private final JsonSchemaSettings settings;
    /** What references may name again. */
    private final Map<Schema, ConnectDraft> structs = new IdentityHashMap<>();
    private int ids;
    private int unions;

    JsonSchemaToConnect(JsonSchemaSettings settings) {
        this.settings = settings;
    }

    org.apache.kafka.connect.data.Schema root(Schema schema, int version) {
        return any(schema, version, false);
    }

    private org.apache.kafka.connect.data.Schema any(Schema schema, Integer version, boolean isOptional) {
        if (schema instanceof ReferenceSchema reference) {
            return referred(reference, version, isOptional);
        }
        ConnectDraft draft = null;
        if (schema instanceof CombinedSchema combined) {
            Collection<Schema> parts = combined.getSubschemas();
            if (parts.size() == 1 && settings.flattenSingletons()) {
                return any(parts.iterator().next(), null, false);
            }
            if (combined.getCriterion() == CombinedSchema.ALL_CRITERION) {
                return allOf(combined, version, isOptional);
            }
            List<Schema> others = parts.stream().filter(part -> !(part instanceof NullSchema)).toList();
            if (parts.size() == 2 && others.size() < 2) {
                if (others.isEmpty()) {
                    throw new DataException("Unsupported schema type: null");
                }
                return any(others.get(0), version, true);
            }
            draft = union(others, others.size() < parts.size());
        }
        return described(draft == null ? plain(schema) : draft, schema, version, isOptional);
    }

    private ConnectDraft plain(Schema schema) {
        String type = (String) schema.getUnprocessedProperties().get("connect.type");
        if (schema instanceof BooleanSchema) {
            return new ConnectDraft(SchemaBuilder.bool());
        } else if (schema instanceof NumberSchema number) {
            return new ConnectDraft(number(number, type));
        } else if (schema instanceof StringSchema) {
            return new ConnectDraft("bytes".equals(type) ? SchemaBuilder.bytes() : SchemaBuilder.string());
        } else if (schema instanceof ConstSchema one) {
            // There is no list of null.
            return symbols(List.of(one.getPermittedValue()));
        } else if (schema instanceof EnumSchema symbols) {
            return symbols(symbols.getPossibleValuesAsList());
        } else if (schema instanceof ArraySchema array) {
            return array(array, type);
        } else if (schema instanceof ObjectSchema object) {
            return object(object, type);
        }
        throw new DataException("Unsupported schema type " + schema.getClass().getName());
    }

    private static SchemaBuilder number(NumberSchema number, String type) {
        if (type == null) {
            return number.requiresInteger() ? SchemaBuilder.int64() : SchemaBuilder.float64();
        }
        return switch (type) {
            case "bytes" -> SchemaBuilder.bytes();
            case "float32" -> SchemaBuilder.float32();
            case "float64" -> SchemaBuilder.float64();
            case "int16" -> SchemaBuilder.int16();
            case "int32" -> SchemaBuilder.int32();
            case "int64" -> SchemaBuilder.int64();
            case "int8" -> SchemaBuilder.int8();
            default -> throw new IllegalArgumentException("Unsupported type " + type);
        };
    }

    private ConnectDraft symbols(List<Object> values) {
        ConnectDraft draft = new ConnectDraft(SchemaBuilder.string());
        String parameter = settings.enumParameter();
        draft.parameters.put(parameter, "");
        int at = 0;
        for (Object value : values) {
            String symbol = value == null ? JsonSchemaSettings.NULL_SYMBOL : value.toString();
            draft.parameters.put(
                parameter + "." + symbol, settings.generalizedSums() ? Integer.toString(at) : symbol);
            at++;
        }
        return draft;
    }

    private ConnectDraft union(List<Schema> alternatives, boolean hasNull) {
        boolean isGeneralized = settings.generalizedSums();
        String name = isGeneralized ? "connect_union_" + unions : JsonSchemaSettings.ONE_OF;
        unions++;
        ConnectDraft draft = new ConnectDraft(SchemaBuilder.struct());
        draft.builder.name(name);
        if (isGeneralized) {
            draft.parameters.put(JsonSchemaSettings.GENERALIZED_UNION, name);
        }
        if (hasNull) {
            draft.builder.optional();
        }
        String prefix = isGeneralized ? "connect_union_field_" : name + ".field.";
        for (int at = 0; at < alternatives.size(); at++) {
            // As documented: the fields beside the one that is set are null.
            draft.builder.field(prefix + at, ConnectDraft.optional(any(alternatives.get(at), null, true)));
        }
        return draft;
    }

    private ConnectDraft array(ArraySchema array, String type) {
        Schema items = array.getAllItemSchema();
        if (items == null) {
            throw new DataException("Array schema did not specify the items type");
        }
        if ("map".equals(type) && items instanceof ObjectSchema entry) {
            Map<String, Schema> members = entry.getPropertySchemas();
            return new ConnectDraft(SchemaBuilder.map(member(members.get("key")), member(members.get("value"))));
        }
        return new ConnectDraft(SchemaBuilder.array(any(items, null, false)));
    }

    private org.apache.kafka.connect.data.Schema member(Schema schema) {
        return schema == null ? null : any(schema, null, false);
    }

    private ConnectDraft object(ObjectSchema object, String type) {
        if ("map".equals(type)) {
            var values = member(object.getSchemaOfAdditionalProperties());
            return new ConnectDraft(SchemaBuilder.map(org.apache.kafka.connect.data.Schema.STRING_SCHEMA, values));
        }
        ConnectDraft draft = new ConnectDraft(SchemaBuilder.struct());
        structs.put(object, draft);
        Map<Integer, Map.Entry<String, Schema>> sorted = new TreeMap<>();
        for (Map.Entry<String, Schema> property : object.getPropertySchemas().entrySet()) {
            Integer index = (Integer) property.getValue().getUnprocessedProperties().get("connect.index");
            sorted.put(index == null ? sorted.size() : index, property);
        }
        for (Map.Entry<String, Schema> property : sorted.values()) {
            boolean isRequired = object.getRequiredProperties().contains(property.getKey());
            draft.builder.field(property.getKey(), field(property.getValue(), isRequired));
        }
        return draft;
    }

    private org.apache.kafka.connect.data.Schema field(Schema schema, boolean isRequired) {
        return any(schema, null, settings.optionalNonRequired() && !isRequired);
    }

    /** A STRUCT that was made before is the same one, with a number that counts references. */
    private org.apache.kafka.connect.data.Schema referred(
        ReferenceSchema reference, Integer version, boolean isOptional
    ) {
        ConnectDraft known = structs.get(reference.getReferredSchema());
        if (known == null) {
            return any(reference.getReferredSchema(), version, isOptional);
        }
        ids++;
        return known.again("#id" + ids, isOptional);
    }

    private org.apache.kafka.connect.data.Schema described(
        ConnectDraft draft, Schema schema, Integer version, boolean isOptional
    ) {
        Map<String, Object> extras = schema.getUnprocessedProperties();
        if (schema.getTitle() != null && draft.builder.name() == null) {
            draft.builder.name(schema.getTitle());
        }
        Integer own = (Integer) extras.get("connect.version");
        if (own != null || version != null) {
            draft.builder.version(own != null ? own : version);
        }
        if (schema.getDescription() != null) {
            draft.builder.doc(schema.getDescription());
        }
        if (extras.get("connect.parameters") instanceof Map<?, ?> parameters) {
            parameters.forEach((name, value) -> draft.parameters.put((String) name, String.valueOf(value)));
        }
        draft.builder.parameters(draft.parameters);
        if (schema.hasDefaultValue()) {
            JsonNode json = JsonSchemaFormat.node(schema.getDefaultValue());
            draft.builder.defaultValue(JsonSchemaReader.value(draft.builder, json));
        }
        if (isOptional) {
            draft.builder.optional();
        }
        return draft.build();
    }

    /** The properties of all parts together, or the part that says most about a scalar. */
    private org.apache.kafka.connect.data.Schema allOf(CombinedSchema combined, Integer version, boolean isOptional) {
        Map<String, Property> properties = new LinkedHashMap<>();
        Map<Class<?>, Schema> last = new HashMap<>();
        for (Schema part : combined.getSubschemas()) {
            last.put(part.getClass(), part);
            collect(part, properties, new java.util.HashSet<>());
        }
        if (!properties.isEmpty()) {
            ConnectDraft draft = new ConnectDraft(SchemaBuilder.struct());
            structs.put(combined, draft);
            properties.forEach(
                (name, property) -> draft.builder.field(name, field(property.schema(), property.isRequired())));
            if (isOptional) {
                draft.builder.optional();
            }
            return draft.build();
        }
        if (last.containsKey(CombinedSchema.class)) {
            return any(last.get(CombinedSchema.class), version, isOptional);
        }
        Schema text = last.get(StringSchema.class);
        Schema number = last.get(NumberSchema.class);
        Schema chosen = null;
        if (last.containsKey(ConstSchema.class)) {
            chosen = text != null ? text : number;
        } else if (last.containsKey(EnumSchema.class)) {
            chosen = text != null ? last.get(EnumSchema.class) : number;
        } else if (text != null) {
            chosen = number != null ? number : text;
        } else if (last.get(ReferenceSchema.class) instanceof ReferenceSchema reference) {
            return referred(reference, version, isOptional);
        }
        if (chosen == null) {
            throw new IllegalArgumentException("Unsupported criterion allOf");
        }
        return any(chosen, version, isOptional);
    }

    /** A property of a name that is known keeps its place. */
    private static void collect(Schema schema, Map<String, Property> properties, Set<Schema> visited) {
        if (!visited.add(schema)) {
            return;
        }
        if (schema instanceof CombinedSchema combined && combined.getCriterion() == CombinedSchema.ALL_CRITERION) {
            combined.getSubschemas().forEach(part -> collect(part, properties, visited));
        } else if (schema instanceof ReferenceSchema reference) {
            collect(reference.getReferredSchema(), properties, visited);
        } else if (schema instanceof ObjectSchema object) {
            object.getPropertySchemas().forEach((name, property) -> properties.put(
                name, new Property(property, object.getRequiredProperties().contains(name))));
        }
    }
}
