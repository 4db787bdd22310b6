import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.transforms.Transformation;
import org.apache.kafka.connect.transforms.predicates.Predicate;

/** The transforms of a connector, applied as the worker applies them, without its tolerance of errors. */
final class Chain<R extends ConnectRecord<R>> {
    private record Stage<R extends ConnectRecord<R>>(
        Transformation<R> transformation, Predicate<R> predicate, boolean negate
    ) {
        R apply(R record) {
            if (predicate != null && predicate.test(record) == negate) {
                return record;
            }
            return transformation.apply(record);
        }
    }

    private final List<Stage<R>> stages = new ArrayList<>();

    private Chain() {
    }

    static <R extends ConnectRecord<R>> Chain<R> read(Map<String, String> settings)
        throws ReflectiveOperationException {
        Chain<R> chain = new Chain<>();
        for (String alias : settings.get("transforms").split(",")) {
            Map<String, String> own = below(settings, "transforms." + alias + ".");
            String predicateAlias = own.remove("predicate");
            boolean negate = Boolean.parseBoolean(own.remove("negate"));
            Transformation<R> transformation = plugin(own);
            transformation.configure(own);
            Predicate<R> predicate = null;
            if (predicateAlias != null) {
                Map<String, String> ofPredicate = below(settings, "predicates." + predicateAlias + ".");
                predicate = plugin(ofPredicate);
                predicate.configure(ofPredicate);
            }
            chain.stages.add(new Stage<>(transformation, predicate, negate));
        }
        return chain;
    }

    /** What is left of the record; null when a transform drops it. */
    R apply(R record) {
        R current = record;
        for (Stage<R> stage : stages) {
            current = stage.apply(current);
            if (current == null) {
                return null;
            }
        }
        return current;
    }

    private static Map<String, String> below(Map<String, String> settings, String prefix) {
        Map<String, String> own = new LinkedHashMap<>();
        settings.forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                own.put(name.substring(prefix.length()), value);
            }
        });
        return own;
    }

    @SuppressWarnings("unchecked")
    private static <T> T plugin(Map<String, String> own) throws ReflectiveOperationException {
        return (T) Class.forName(own.remove("type")).getDeclaredConstructor().newInstance();
    }
}
