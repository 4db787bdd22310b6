import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;

/**
 * The place where a message contains itself: the schema around it, which is still being built, under parameters of its
 * own. What makes the place optional makes that schema optional.
 */
final class ProtobufPlace extends SchemaBuilder {
    private final SchemaBuilder around;
    private final Map<String, String> own = new LinkedHashMap<>();

    ProtobufPlace(SchemaBuilder around) {
        super(Type.STRUCT);
        this.around = around;
    }

    @Override
    public boolean isOptional() {
        return around.isOptional();
    }

    @Override
    public SchemaBuilder optional() {
        around.optional();
        return this;
    }

    @Override
    public Object defaultValue() {
        return null;
    }

    @Override
    public String name() {
        return around.name();
    }

    @Override
    public Integer version() {
        return around.version();
    }

    @Override
    public String doc() {
        return around.doc();
    }

    @Override
    public Map<String, String> parameters() {
        Map<String, String> all = new LinkedHashMap<>();
        if (around.parameters() != null) {
            all.putAll(around.parameters());
        }
        all.putAll(own);
        return all;
    }

    @Override
    public SchemaBuilder parameter(String name, String value) {
        own.put(name, value);
        return this;
    }

    @Override
    public List<Field> fields() {
        return around.fields();
    }

    @Override
    public Field field(String name) {
        return around.field(name);
    }

    @Override
    public Schema build() {
        return this;
    }

    @Override
    public Schema schema() {
        return this;
    }
}
