import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.data.ConnectSchema;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * A schema under construction, which references may name after it was made: all of them and, if it had parameters of
 * its own, the schema itself then have the parameters that the last reference added.
 */
final class ConnectDraft {
    final SchemaBuilder builder;
    final Map<String, String> parameters = new LinkedHashMap<>();
    /** Where it contains itself. */
    private final List<RecursiveSchema> places = new ArrayList<>();
    private Schema built;

    ConnectDraft(SchemaBuilder builder) {
        this.builder = builder;
    }

    Schema build() {
        built = with(builder.build(), builder.isOptional(), parameters.isEmpty() ? null : parameters);
        places.forEach(place -> place.meant(built));
        return built;
    }

    /** The same schema in another place, maybe inside of itself. */
    Schema again(String id, boolean isOptional) {
        parameters.put(JsonSchemaSettings.ID, id);
        if (built == null) {
            RecursiveSchema place = new RecursiveSchema(isOptional);
            places.add(place);
            return place;
        }
        return with(built, isOptional, parameters);
    }

    /** The same schema, optional. */
    static Schema optional(Schema schema) {
        return schema.isOptional() ? schema : with(schema, true, schema.parameters());
    }

    private static Schema with(Schema schema, boolean isOptional, Map<String, String> parameters) {
        boolean hasEntries = schema.type() == Schema.Type.MAP;
        boolean hasItems = hasEntries || schema.type() == Schema.Type.ARRAY;
        boolean hasFields = schema.type() == Schema.Type.STRUCT;
        return new ConnectSchema(
            schema.type(), isOptional, schema.defaultValue(), schema.name(), schema.version(), schema.doc(),
            parameters, hasFields ? schema.fields() : null, hasEntries ? schema.keySchema() : null,
            hasItems ? schema.valueSchema() : null);
    }
}
