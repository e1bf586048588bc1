package main

import (
	"context"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// animal is a value of the type zoo_animal; fields that are not named are null, and there is one meal.
func animal(s *server, fields map[string]tftypes.Value) tftypes.Value {
	schema := s.schemas.resources["zoo_animal"]
	all := map[string]tftypes.Value{}
	for _, attr := range schema.Block.Attributes {
		all[attr.Name] = tftypes.NewValue(attr.ValueType(), nil)
	}
	meals := schema.Block.BlockTypes[0].ValueType().(tftypes.List)
	all["meal"] = tftypes.NewValue(meals, []tftypes.Value{tftypes.NewValue(meals.ElementType, map[string]tftypes.Value{
		"food": text("hay"), "calories": tftypes.NewValue(tftypes.Number, nil),
	})})
	for name, value := range fields {
		all[name] = value
	}
	return tftypes.NewValue(schema.ValueType(), all)
}

func text(value string) tftypes.Value { return tftypes.NewValue(tftypes.String, value) }

func dynamic(t *testing.T, value tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	encoded, err := tfprotov6.NewDynamicValue(value.Type(), value)
	if err != nil {
		t.Fatal(err)
	}
	return &encoded
}

func fields(t *testing.T, s *server, encoded *tfprotov6.DynamicValue) map[string]tftypes.Value {
	t.Helper()
	value, err := encoded.Unmarshal(s.schemas.resources["zoo_animal"].ValueType())
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]tftypes.Value
	if err := value.As(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func planned(t *testing.T, s *server, prior, proposed tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	answer, err := s.PlanResourceChange(context.Background(), &tfprotov6.PlanResourceChangeRequest{
		TypeName: "zoo_animal", PriorState: dynamic(t, prior), ProposedNewState: dynamic(t, proposed),
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.PlannedState
}

func nothing(s *server) tftypes.Value {
	return tftypes.NewValue(s.schemas.resources["zoo_animal"].ValueType(), nil)
}

func TestAPlanLeavesUnsetComputedAttributesUnknown(t *testing.T) {
	s := zooServer(t)

	plan := fields(t, s, planned(t, s, nothing(s), animal(s, map[string]tftypes.Value{"name": text("okapi")})))

	if plan["id"].IsKnown() || plan["arn"].IsKnown() || plan["tags_all"].IsKnown() {
		t.Errorf("id, arn and tags_all are known at plan: %s", plan)
	}
	if !plan["name"].Equal(text("okapi")) {
		t.Errorf("the configured name became %s", plan["name"])
	}
	if plan["meal"].IsFullyKnown() {
		t.Error("a computed attribute inside a block is known at plan")
	}
}

func TestAPlanOfAnExistingObjectKeepsWhatTheCloudDecided(t *testing.T) {
	s := zooServer(t)
	existing := animal(s, map[string]tftypes.Value{"name": text("okapi"), "id": text("animal-1")})

	plan := fields(t, s, planned(t, s, existing, existing))

	if !plan["id"].Equal(text("animal-1")) || !plan["arn"].IsNull() {
		t.Errorf("the plan changed id to %s and arn to %s", plan["id"], plan["arn"])
	}
}

func TestAWriteOnlyValueIsNullInEveryPlan(t *testing.T) {
	s := zooServer(t)
	secret := animal(s, map[string]tftypes.Value{"name": text("okapi"), "secret": text("hunter2")})

	for _, prior := range []tftypes.Value{nothing(s), secret} {
		if plan := fields(t, s, planned(t, s, prior, secret)); !plan["secret"].IsNull() {
			t.Errorf("the plan holds the secret %s", plan["secret"])
		}
	}
}

func TestApplyInventsWhatWasUnknownAndNothingElse(t *testing.T) {
	s := zooServer(t)
	plan := planned(t, s, nothing(s), animal(s, map[string]tftypes.Value{"name": text("okapi")}))

	ids := map[string]bool{}
	for range 2 {
		answer, err := s.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
			TypeName: "zoo_animal", PlannedState: plan,
		})
		if err != nil {
			t.Fatal(err)
		}
		state := fields(t, s, answer.NewState)
		for name, value := range state {
			if !value.IsFullyKnown() {
				t.Errorf("%s is unknown after apply", name)
			}
		}
		if !state["name"].Equal(text("okapi")) || !state["secret"].IsNull() {
			t.Errorf("apply changed what was planned: %s", state)
		}
		ids[state["id"].String()] = true
	}
	if len(ids) != 2 {
		t.Errorf("two objects share the identifier %v", ids)
	}
}

func TestADestroyedObjectIsGone(t *testing.T) {
	s := zooServer(t)

	answer, err := s.ApplyResourceChange(context.Background(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: "zoo_animal", PlannedState: dynamic(t, nothing(s)),
	})
	if err != nil {
		t.Fatal(err)
	}

	if gone, err := answer.NewState.IsNull(); err != nil || !gone {
		t.Errorf("null: %t, error: %v", gone, err)
	}
}

func TestAnImportedObjectHasTheIdentifierThatWasAskedFor(t *testing.T) {
	s := zooServer(t)

	answer, err := s.ImportResourceState(context.Background(), &tfprotov6.ImportResourceStateRequest{TypeName: "zoo_animal", ID: "animal-7"})
	if err != nil {
		t.Fatal(err)
	}

	state := fields(t, s, answer.ImportedResources[0].State)
	if !state["id"].Equal(text("animal-7")) || state["arn"].IsNull() || !state["name"].IsNull() {
		t.Errorf("imported %s", state)
	}
}

func TestAnUpgradeDropsWhatTheSchemaNoLongerHas(t *testing.T) {
	s := zooServer(t)

	answer, err := s.UpgradeResourceState(context.Background(), &tfprotov6.UpgradeResourceStateRequest{
		TypeName: "zoo_animal", RawState: &tfprotov6.RawState{JSON: []byte(`{"name": "okapi", "horns": 2}`)},
	})
	if err != nil {
		t.Fatal(err)
	}

	if state := fields(t, s, answer.UpgradedState); !state["name"].Equal(text("okapi")) {
		t.Errorf("upgraded to %s", state)
	}
}
