/** The events of an execution, as GetExecutionHistory lists them. https://www.alibabacloud.com/help/en/serverless-workflow/latest/view-the-execution-history */
import { fatal } from "./flow-error";
import type { Json } from "./json";
import { MAX_EVENTS } from "./limits";

export type EventType =
  | "ExecutionStarted"
  | "ExecutionSucceeded"
  | "ExecutionFailed"
  | "ExecutionStopped"
  | "StepEntered"
  | "StepStarted"
  | "StepSucceeded"
  | "StepFailed"
  | "StepExited"
  | "TaskScheduled"
  | "TaskStarted"
  | "TaskSubmitted"
  | "TaskSucceeded"
  | "TaskFailed";

export interface HistoryEvent {
  Type: EventType;
  /** Counts from 1. */
  EventId: number;
  ScheduleEventId: number;
  StepName: string;
  /** JSON. */
  EventDetail: string;
  Time: string;
}

export class History {
  readonly events: HistoryEvent[] = [];

  constructor(private readonly now: () => number) {}

  /** @throws FlowError when only one event is left: it is reserved for the end of the execution */
  add(type: EventType, stepName: string, detail: { [key: string]: Json }): void {
    if (this.events.length >= MAX_EVENTS - 1) throw fatal("TooManyEvents", `an execution has at most ${MAX_EVENTS} events`);
    this.push(type, stepName, detail);
  }

  end(type: "ExecutionSucceeded" | "ExecutionFailed" | "ExecutionStopped", detail: { [key: string]: Json }): void {
    this.push(type, "", detail);
  }

  private push(type: EventType, stepName: string, detail: { [key: string]: Json }): void {
    const id = this.events.length + 1;
    this.events.push({
      Type: type,
      EventId: id,
      ScheduleEventId: id - 1,
      StepName: stepName,
      EventDetail: JSON.stringify(detail),
      Time: new Date(this.now()).toISOString(),
    });
  }
}
