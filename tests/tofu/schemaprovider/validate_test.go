package main

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

func TestAConfigurationThatTheSchemaAllowsPasses(t *testing.T) {
	s := zooServer(t)
	unknown := tftypes.NewValue(tftypes.String, tftypes.UnknownValue)

	for name, value := range map[string]tftypes.Value{"a known name": text("okapi"), "a name known at apply": unknown} {
		config := animal(s, map[string]tftypes.Value{"name": value})
		if problems := validate(dynamic(t, config), s.schemas.resources["zoo_animal"]); len(problems) != 0 {
			t.Errorf("%s: %s", name, problems[0].Detail)
		}
	}
}

func TestWhatTheEngineLeavesToTheProviderIsAnError(t *testing.T) {
	s := zooServer(t)
	keeper := s.schemas.resources["zoo_animal"].Block
	var badge tftypes.Value
	for _, attr := range keeper.Attributes {
		if attr.Name == "keeper" {
			badge = tftypes.NewValue(attr.ValueType(), map[string]tftypes.Value{"badge": tftypes.NewValue(tftypes.Number, nil)})
		}
	}
	for name, bad := range map[string]struct {
		fields map[string]tftypes.Value
		want   string
	}{
		"a value for a computed attribute": {map[string]tftypes.Value{"name": text("okapi"), "arn": text("arn:1")}, "Value for unconfigurable attribute"},
		"null for a required attribute":    {map[string]tftypes.Value{}, "Missing required argument"},
		"null inside a nested object":      {map[string]tftypes.Value{"name": text("okapi"), "keeper": badge}, "Missing required argument"},
	} {
		problems := validate(dynamic(t, animal(s, bad.fields)), s.schemas.resources["zoo_animal"])
		if len(problems) != 1 || problems[0].Summary != bad.want || problems[0].Attribute == nil {
			t.Errorf("%s: got %d problems, not one %q with its place", name, len(problems), bad.want)
		}
	}
}
