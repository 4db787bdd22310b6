import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;

/** The place where a STRUCT contains itself: what the Avro converter's CyclicSchemaWrapper is. */
final class RecursiveSchema implements Schema {
    private final boolean optional;
    private Schema meant;

    RecursiveSchema(boolean optional) {
        this.optional = optional;
    }

    /** Says which STRUCT it stands for, once that is made. */
    void meant(Schema schema) {
        meant = schema;
    }

    @Override
    public Type type() {
        return meant.type();
    }

    @Override
    public boolean isOptional() {
        return optional;
    }

    @Override
    public Object defaultValue() {
        return null;
    }

    @Override
    public String name() {
        return meant.name();
    }

    @Override
    public Integer version() {
        return meant.version();
    }

    @Override
    public String doc() {
        return meant.doc();
    }

    @Override
    public Map<String, String> parameters() {
        return meant.parameters();
    }

    @Override
    public Schema keySchema() {
        return meant.keySchema();
    }

    @Override
    public Schema valueSchema() {
        return meant.valueSchema();
    }

    @Override
    public List<Field> fields() {
        return meant.fields();
    }

    @Override
    public Field field(String name) {
        return meant.field(name);
    }

    @Override
    public Schema schema() {
        return meant;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RecursiveSchema place && place.optional == optional && place.meant == meant;
    }

    @Override
    public int hashCode() {
        return Boolean.hashCode(optional) + System.identityHashCode(meant);
    }
}
